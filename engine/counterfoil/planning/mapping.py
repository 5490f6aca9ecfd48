"""The mapping: how one connection's records become documents in the books. One readable TOML file.

Everything has a default that cannot do harm, so that a first mapping is a dozen lines; what is doubtful is parked.
"""

import hashlib
import tomllib
import zoneinfo
from collections.abc import Mapping as AbstractMapping
from decimal import Decimal
from typing import Any

from pydantic import Field, ValidationError

from counterfoil.planning.derivable import DERIVABLE, fields_of, filter_problem, problem_of
from counterfoil.planning.mapping_errors import MappingError, Places, problems_of, syntax_problem, unknown_name
from counterfoil.planning.ownership import ENTITIES, Ownership, known_fields
from counterfoil.planning.pay_sections import PayrollSection
from counterfoil.planning.sections import (
    ConnectionSection,
    ContractorPaymentSection,
    CreditMemoSection,
    CustomerSection,
    DerivedSection,
    EmployeeSection,
    EstimateSection,
    ExchangeSection,
    FieldRule,
    FieldsSection,
    FromKinds,
    InvoiceSection,
    PartySection,
    PaymentSection,
    PayoutSection,
    PostPolicy,
    PostSection,
    ProductSection,
    RefundSection,
    Section,
    StartSection,
    TaxSection,
    TimeSection,
    VendorSection,
    WriteBackSection,
    section_of,
)

__all__ = ["Mapping", "MappingError", "mapping_digest", "parse_mapping"]


class Mapping(Section):
    """A parsed mapping. `csv` and `source` are the adapter's own tables, passed through as they are."""

    connection: ConnectionSection
    start: StartSection = StartSection()
    customer: CustomerSection = CustomerSection()
    product: ProductSection = ProductSection()
    vendor: VendorSection = VendorSection()
    employee: EmployeeSection = EmployeeSection()
    invoice: InvoiceSection = InvoiceSection()
    estimate: EstimateSection = EstimateSection()
    credit_memo: CreditMemoSection = CreditMemoSection()
    payment: PaymentSection = PaymentSection()
    refund: RefundSection = RefundSection()
    payout: PayoutSection = PayoutSection()
    payroll: PayrollSection = PayrollSection()
    contractor_payment: ContractorPaymentSection = ContractorPaymentSection()
    time: TimeSection = TimeSection()
    tax: TaxSection = TaxSection()
    exchange: ExchangeSection = ExchangeSection()
    derived: DerivedSection = DerivedSection()
    post: PostSection = PostSection()
    fields: FieldsSection = FieldsSection()
    write_back: WriteBackSection = WriteBackSection()
    csv: dict[str, Any] = Field(default_factory=dict)
    source: dict[str, Any] = Field(default_factory=dict)

    def reviews(self, document: str, amount: Decimal | None) -> bool:
        """Whether a document of this kind and amount waits for approval."""
        policy: PostPolicy = getattr(self.post, document)
        if policy.post == "review":
            return True
        return policy.review_above is not None and amount is not None and abs(amount) > policy.review_above

    def adopts(self, entity: str) -> bool:
        """Whether a document that bears the wanted name already, and stands for no other record, is taken over."""
        sections: dict[str, PartySection | ProductSection] = {
            "Customer": self.customer,
            "Vendor": self.vendor,
            "Employee": self.employee,
            "Item": self.product,
        }
        section = sections.get(entity)
        return section is not None and section.same_name == "adopt"

    def ownership(self, document: str) -> Ownership:
        """Who owns which field of a document (`customer`, `invoice`, `pay_run` …)."""
        rules: AbstractMapping[str, FieldRule] = getattr(self.fields, document)
        return Ownership(
            entity=ENTITIES[document],
            owners={name: rule.owner for name, rule in rules.items()},
            inward=frozenset(name for name, rule in rules.items() if rule.direction == "in"),
        )

    def ownership_of_entity(self, entity: str) -> Ownership:
        """The same by QuickBooks entity (`Customer`, `Invoice`, `JournalEntry` …)."""
        for document, name in ENTITIES.items():
            if name == entity:
                return self.ownership(document)
        return Ownership(entity=entity)


def parse_mapping(text: str, *, file: str, default_zone: str | None = None) -> Mapping:
    """Read a mapping.

    Args:
        text: the TOML.
        file: its name, for messages.
        default_zone: the company's zone, used where the mapping names none.

    Raises:
        MappingError: with file, line, column, key and the nearest known name of everything that is wrong.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(file, (syntax_problem(error),)) from None
    places = Places(text)
    connection = data.get("connection")
    if default_zone is not None and isinstance(connection, dict):
        connection.setdefault("zone", default_zone)
    try:
        mapping = Mapping.model_validate(data)
    except ValidationError as error:
        raise MappingError(file, problems_of(error, Mapping, places)) from None
    problems = (
        *_zone_problems(mapping, places),
        *_field_problems(mapping, places),
        *_derived_problems(mapping, places),
        *_payroll_problems(mapping, places),
        *_filter_problems(mapping, places),
    )
    if problems:
        raise MappingError(file, problems)
    return mapping


def mapping_digest(mapping_text: str) -> str:
    """SHA-256 of the text, in hexadecimal: what a plan names its mapping by."""
    return hashlib.sha256(mapping_text.encode()).hexdigest()


def _zone_problems(mapping: Mapping, places: Places) -> tuple[str, ...]:
    zone = mapping.connection.zone
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
        path = ("connection", "zone")
        says = unknown_name(f'[connection] zone "{zone}" is no IANA time zone', zone, known)
        return (places.at_value(path, zone) + says,)
    return ()


def _derived_problems(mapping: Mapping, places: Places) -> tuple[str, ...]:
    problems: list[str] = []
    for document in DERIVABLE:
        rules: AbstractMapping[str, str] = getattr(mapping.derived, document)
        for field, expression in rules.items():
            problem = problem_of(document, field, expression)
            if problem is not None:
                path = ("derived", document, field)
                place = places.at_value(path, expression) if field in fields_of(document) else places.at(path)
                problems.append(place + problem)
    return tuple(problems)


def _filter_problems(mapping: Mapping, places: Places) -> tuple[str, ...]:
    problems: list[str] = []
    for document in (*DERIVABLE, "pay_run"):
        section = section_of(document)
        rules = getattr(mapping, section, None)
        expression = rules.filter if isinstance(rules, FromKinds) else None
        problem = filter_problem(section, document, expression) if expression is not None else None
        if problem is not None:
            problems.append(places.at_value((section, "filter"), expression) + problem)
    return tuple(problems)


def _payroll_problems(mapping: Mapping, places: Places) -> tuple[str, ...]:
    """What one setting of pay runs needs of another."""
    section, problems = mapping.payroll, list[str]()
    if section.entry == "department" and section.clearing is None:
        says = '[payroll] entry = "department" needs an account to clear the entries by: set clearing = "…" there.'
        problems.append(places.at_value(("payroll", "entry"), section.entry) + says)
    rule = section.accrual
    if rule.by != "none" and rule.account is None:
        says = f'[payroll.accrual] by = "{rule.by}" needs the account of the liability: set account = "…" there.'
        problems.append(places.at_value(("payroll", "accrual", "by"), rule.by) + says)
    return tuple(problems)


def _field_problems(mapping: Mapping, places: Places) -> tuple[str, ...]:
    problems: list[str] = []
    for document in ENTITIES:
        known = sorted(known_fields(ENTITIES[document]))
        rules: AbstractMapping[str, FieldRule] = getattr(mapping.fields, document)
        for name in rules:
            if name not in known:
                says = f"[fields.{document}] names no field of ours: {name}"
                problems.append(places.at(("fields", document, name)) + unknown_name(says, name, known))
    return tuple(problems)
