"""The sample company in the forms that the emulators' control ports take."""

from datetime import UTC

from counterfoil.demo.sample import PayPart, SaleLine, Sample, SampleCustomer, SampleDeal, SampleEmployee, SamplePayRun
from counterfoil_schema.exact_json import JsonObject, JsonValue

NUMBER_PROPERTY = "invoice_number"
BOOKS_DEPARTMENTS = {"Customer Success": "Support"}


def decimal(cents: int) -> str:
    """Whole cents as a decimal number."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def hubspot_load(sample: Sample) -> JsonObject:
    """What HubSpot holds before the first reading."""
    companies: list[JsonValue] = [
        {"id": str(one.customer_id), "properties": company_properties(one)} for one in sample.customers
    ]
    products: list[JsonValue] = [
        {
            "id": str(one.product_id),
            "properties": {"name": one.name, "hs_sku": one.sku, "price": decimal(one.cents)},
        }
        for one in sample.products
    ]
    deals: list[JsonValue] = [
        {"id": str(deal.deal_id), "properties": deal_properties(deal, won=deal.won)} for deal in sample.deals
    ]
    lines: list[JsonValue] = []
    links: list[JsonValue] = []
    for deal in sample.deals:
        for place, line in enumerate(deal.lines):
            lines.append({"id": str(line.line_id), "properties": line_properties(line, place)})
        start: JsonObject = {"from": "deals", "from_id": str(deal.deal_id)}
        links.append({**start, "to": "companies", "to_ids": [str(deal.customer_id)]})
        if deal.lines:
            links.append({**start, "to": "line_items", "to_ids": [str(line.line_id) for line in deal.lines]})
    objects: JsonObject = {"companies": companies, "products": products, "line_items": lines, "deals": deals}
    return {"objects": objects, "associations": links}


def company_properties(customer: SampleCustomer) -> JsonObject:
    """A customer as HubSpot's properties."""
    return {
        "name": customer.name,
        "phone": customer.phone,
        "address": customer.street,
        "city": customer.city,
        "state": customer.state,
        "zip": customer.postal_code,
    }


def deal_properties(deal: SampleDeal, *, won: bool) -> JsonObject:
    """A deal as HubSpot's properties."""
    return {
        "dealname": deal.name,
        "dealstage": "closedwon" if won else "contractsent",
        "pipeline": "default",
        "amount": decimal(deal.stated),
        "deal_currency_code": "USD",
        "closedate": deal.closed.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        NUMBER_PROPERTY: deal.number,
    }


def line_properties(line: SaleLine, place: int) -> JsonObject:
    """A line item as HubSpot's properties."""
    properties: JsonObject = {
        "name": line.name,
        "hs_product_id": str(line.product_id),
        "quantity": str(line.quantity),
        "price": decimal(line.cents_each),
        "hs_position_on_quote": str(place),
    }
    if line.percent_off:
        properties["hs_discount_percentage"] = str(line.percent_off)
    return properties


def gusto_load(sample: Sample) -> JsonObject:
    """What Gusto holds before the first reading."""
    return {
        "departments": list(sample.departments),
        "employees": [_employee(one) for one in sample.employees],
        "payrolls": [_payroll(run) for run in sample.pay_runs],
    }


def _employee(person: SampleEmployee) -> JsonObject:
    return {
        "uuid": person.uuid,
        "first_name": person.given_name,
        "last_name": person.family_name,
        "email": person.email,
        "department": person.department,
        "hire_date": "2021-03-01",
    }


def _payroll(run: SamplePayRun) -> JsonObject:
    return {
        "uuid": run.uuid,
        "check_date": run.check_date.isoformat(),
        "start_date": run.start.isoformat(),
        "end_date": run.end.isoformat(),
        "processed": True,
        "employee_compensations": [_compensation(part) for part in run.parts],
    }


def _compensation(part: PayPart) -> JsonObject:
    taxes: list[JsonValue] = [
        {"name": name, "employer": employer, "amount": decimal(cents)}
        for employer, group in ((False, part.employee_taxes), (True, part.employer_taxes))
        for name, cents in group
    ]
    given: JsonObject = {
        "employee_uuid": part.employee_uuid,
        "gross_pay": decimal(part.gross),
        "taxes": taxes,
        "benefits": [
            {
                "name": "Medical",
                "employee_deduction": decimal(part.benefit_withheld),
                "company_contribution": decimal(part.benefit_contributed),
            }
        ],
    }
    if part.deduction:
        given["deductions"] = [{"name": "Garnishment", "amount": decimal(part.deduction)}]
    if part.reimbursement:
        given["reimbursements"] = [{"description": "Travel", "amount": decimal(part.reimbursement)}]
    return given


def books_preparation(sample: Sample) -> list[JsonValue]:
    """What a bookkeeper sets up in QuickBooks beforehand: departments, and an item of the books' own."""
    names = [BOOKS_DEPARTMENTS.get(name, name) for name in sample.departments]
    actions: list[JsonValue] = [{"entity": "Department", "body": {"Name": name}} for name in names]
    item: JsonObject = {"Name": "Expedited handling", "Type": "Service", "IncomeAccountRef": {"value": "83"}}
    return [*actions, {"entity": "Item", "body": item}]
