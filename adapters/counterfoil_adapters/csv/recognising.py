"""What a file of an unknown export seems to hold, by the names of its columns and the looks of its cells. Pure.

The names are those that exports of shops, CRM and payroll systems commonly bear, from general knowledge of such files;
nothing here is any vendor's specification. Names are compared in small letters, without blanks and signs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_NUMBERED = ("id", "no", "number", "num", "nr", "key", "code", "ref", "reference")


def _numbers_of(*owners: str) -> tuple[str, ...]:
    """What columns are called that tell such things apart: of `deal` dealid, dealno, dealnumber …"""
    return tuple(f"{owner}{word}" for word in _NUMBERED for owner in owners)


_DEALS = _numbers_of("opportunity", "opp", "deal")

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "order_id": (*_numbers_of("order", "invoice", "salesorder", "receipt", "transaction", "sale"), *_DEALS),
    "deal": (*_DEALS, "dealname", "dealtitle", "opportunityname", "oppname", "opportunity"),
    "line_id": ("rowid", "orderlineitem", "lineid", "orderlinenumber", "salesorderdetailid", "linenumber", "lineno"),
    "ordered": (
        *("orderdate", "invoicedate", "closedate", "dealwontime", "dealclosedate", "saledate", "transactiondate"),
        *("dateordered", "expectedclosedate", "date"),
    ),
    "customer_id": (
        *_numbers_of("customer", "cust", "client", "account", "company", "organization", "organisation", "buyer"),
        *("associatedcompanyids", "associatedcompanyid", "customer", "client", "account", "dealorganization"),
        *("accountname", "associatedcompany", "organizationname", "company"),
    ),
    "customer_name": (
        *("customername", "companyname", "accountname", "clientname", "organizationname", "company", "account"),
        *("customer", "client", "fullname", "dealorganization", "associatedcompany", "contactname"),
    ),
    "product_id": ("sku", *_numbers_of("product", "stock", "item", "article")),
    "product_name": ("productname", "itemname", "product", "item", "description", "article"),
    "quantity": ("quantity", "qty", "orderqty", "orderquantity", "units", "quantityordered"),
    "price": ("unitprice", "price", "saleprice", "salesprice", "listprice", "priceeach", "productprice"),
    "amount": (
        *("amount", "closevalue", "dealvalue", "dealamount", "linetotal", "sales", "salesamount", "netamount", "total"),
        *("ordertotal", "totalamount", "value", "revenue", "amountincompanycurrency", "subtotal"),
    ),
    "discount": ("discount", "discountpct", "unitpricediscount", "discountpercent"),
    "stage": (
        *("dealstage", "salesstage", "opportunitystage", "stage", "stagename", "dealstatus", "status", "orderstatus"),
        *("pipelinestage", "phase"),
    ),
    "currency": ("currency", "currencycode", "dealcurrency", "currencyisocode"),
    "freight": ("freight", "shipping", "shippingcost"),
    "employee_id": (
        *_numbers_of("employee", "emp", "personnel", "staff", "associate", "worker", "ee", "payroll"),
        *("fileno", "file", "filenumber"),
    ),
    "employee_name": (
        *("employeename", "employee", "payrollname", "associatename", "nameoftheemployee", "staffname", "workername"),
        *("namelastfirst", "namelastnamefirstname", "lastnamefirstname", "fullname", "name"),
    ),
    "given_name": ("firstname", "givenname", "first", "legalfirstname", "preferredname"),
    "family_name": ("lastname", "familyname", "surname", "last", "legallastname"),
    "hired": ("hiredate", "dateofhire", "startdate", "originalhiredate", "hired", "dateofjoining"),
    "department": ("department", "departmentname", "dept", "homedepartment", "costcenter"),
    "active": ("active", "isactive", "employmentstatus", "employeestatus", "empstatus", "workerstatus"),
    "job": ("jobtitle", "position", "jobrole", "title", "job"),
    "email": ("email", "emailaddress", "mail", "workemail", "contactemail"),
    "phone": ("phone", "phonenumber", "telephone", "mobile"),
    "street": ("address", "street", "streetaddress", "addressline1", "billingstreet"),
    "city": ("city", "town", "billingcity"),
    "region": ("state", "region", "stateprovince", "stateregion", "billingstate"),
    "postal_code": ("postalcode", "zip", "zipcode", "postcode", "billingzip"),
    "country": ("country", "countryregion", "billingcountry"),
    "check_date": ("checkdate", "paydate", "paymentdate", "payday", "payrolldate"),
    "period_start": ("periodstart", "payperiodstart", "periodbegin", "periodbeginning", "payperiodbegin", "startdate"),
    "period_end": ("periodend", "payperiodend", "periodending", "payperiodending", "enddate"),
    "gross": (
        *("grosspay", "gross", "grossearnings", "totalearnings", "totalgross", "grosswages", "totalpay"),
        *("totalgrosspay", "grossamount"),
    ),
    "net_pay": ("netpay", "net", "netamount", "takehome", "checkamount", "totalnetpay"),
    "employee_taxes": ("employeetaxes", "totalemployeetaxes", "employeetax", "taxeswithheld", "totaltaxes"),
    "employer_taxes": ("employertaxes", "totalemployertaxes", "employertax", "employerpayrolltaxes"),
    "reimbursement": ("reimbursements", "reimbursement", "totalreimbursements"),
    "deductions": ("deductions", "totaldeductions", "employeedeductions", "otherdeductions", "posttaxdeductions"),
    "own_id": ("id", "recordid", "key", "no", "number", "code"),
    "name": ("name",),
}

FORMS: Final = (
    *("iso", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%m/%d/%y", "%d.%m.%y"),
    *("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y"),
)
NEARLY_ALL: Final = 0.9
"""What holds of so many cells holds; the others are dirt that will be reported."""

FORMS_MAX: Final = 3
_SELDOM: Final = 0.05
_EARNINGS = re.compile(r"\b(regular|overtime|bonus|salary|commission|holiday|vacation|sick|earnings)\b", re.IGNORECASE)
_NO_EARNINGS = re.compile(r"\b(hours?|rate|net|tax(es)?|ytd)\b", re.IGNORECASE)
_NOTHING = frozenset({"n/a", "na", "null", "nan", "none", "-", ""})
_COMMA_DECIMAL = re.compile(r"-?[\d.]*\d,\d{1,2}")
_POINT_THOUSANDS = re.compile(r"-?\d{1,3}(\.\d{3})+(,\d+)?")
WON: Final = frozenset(
    {"won", "closed won", "closedwon", "paid", "shipped", "completed", "complete", "ordered", "sold"}
)


ACTIVE: Final = frozenset({"active", "yes", "y", "true", "1", "employed", "current", "on leave", "leave of absence"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The beginning of a file: its name (or the pattern of several alike), its columns, and some rows."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]

    def column(self, *roles: str) -> str | None:
        """The column that plays the first of these roles that any plays."""
        by_name: dict[str, str] = {}
        for column in self.columns:
            by_name.setdefault(plain(column), column)
        for role in roles:
            for name in ROLES[role]:
                if name in by_name:
                    return by_name[name]
        return None

    def values(self, column: str) -> list[str]:
        """The cells of a column that are not empty."""
        place = self.columns.index(column)
        return [text for row in self.rows if place < len(row) and (text := row[place].strip())]

    def is_unique(self, column: str) -> bool:
        """Whether hardly two rows say the same there."""
        values = self.values(column)
        return bool(values) and len(set(values)) >= len(values) * NEARLY_ALL

    def own_id(self) -> str | None:
        """A column that tells its rows apart by name and content: `id`, or the first one, called `supplier_id`."""
        named = self.column("own_id")
        first = self.columns[0] if plain(self.columns[0]).endswith(("id", "key", "number", "code")) else None
        return next((column for column in (named, first) if column and self.is_unique(column)), None)

    def earnings(self) -> list[str]:
        """What somebody was paid before taxes: one column, or those of its parts."""
        gross = self.column("gross")
        parts = [column for column in self.columns if _EARNINGS.search(column) and not _NO_EARNINGS.search(column)]
        return [gross] if gross else parts


def plain(name: str) -> str:
    """A column's name without what nobody means by it: of `Deal - ID` it is `dealid`."""
    return "".join(character for character in name.casefold() if character.isalnum())


def date_forms(values: Iterable[str]) -> list[str]:
    """The forms in which nearly all of these are dates, the likeliest first."""
    left = [value for value in values if value.casefold() not in _NOTHING]
    seldom = len(left) * _SELDOM
    forms: list[str] = []
    while len(left) > seldom and len(forms) < FORMS_MAX:
        fitting = {form: sum(_fits(value, form) for value in left) for form in FORMS}
        best = max(FORMS, key=lambda form: fitting[form])
        if fitting[best] <= seldom:
            break
        forms.append(best)
        left = [value for value in left if not _fits(value, best)]
    return forms


def is_ambiguous(values: Sequence[str]) -> bool:
    """Whether day and month could be the other way round in all of them."""
    seen = [value for value in values if value.casefold() not in _NOTHING]
    pairs = (("%m/%d/%Y", "%d/%m/%Y"), ("%m-%d-%Y", "%d-%m-%Y"))
    return any(seen and all(_fits(value, one) and _fits(value, other) for value in seen) for one, other in pairs)


def _fits(value: str, form: str) -> bool:
    try:
        if form == "iso":
            datetime.fromisoformat(value)
        else:
            datetime.strptime(value, form).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def has_decimal_comma(values: Iterable[str]) -> bool:
    """Whether numbers are written as in `1.234,50`."""
    seen = [bare for value in values if (bare := value.strip("€ \u00a0")).casefold() not in _NOTHING]
    written = [
        value
        for value in seen
        if _COMMA_DECIMAL.fullmatch(value) or _POINT_THOUSANDS.fullmatch(value) or value.lstrip("-").isdigit()
    ]
    return any(_COMMA_DECIMAL.fullmatch(value) for value in written) and len(written) >= len(seen) * NEARLY_ALL
