"""Objects and fields of the org: a small part of Salesforce's standard ones, and custom ones as they are added."""

import re
from dataclasses import dataclass, field

# name:type, with (length) or (object,relationship); ! marks what must be given, ~ what only the org sets, * an
# external id.
_STANDARD = {
    "Account": (
        "001",
        (
            "Name:string(255)! MasterRecordId:reference(Account,MasterRecord)~ ParentId:reference(Account,Parent)"
            " AccountNumber:string(40) Type:picklist Phone:phone(40) Website:url(255) BillingStreet:textarea(255)"
            " BillingCity:string(40) BillingState:string(80) BillingPostalCode:string(20) BillingCountry:string(80)"
            " Description:textarea(32000)"
        ),
    ),
    "Contact": (
        "003",
        (
            "AccountId:reference(Account,Account) MasterRecordId:reference(Contact,MasterRecord)~ FirstName:string(40)"
            " LastName:string(80)! Name:string(121)~ Email:email(80) Phone:phone(40) MailingStreet:textarea(255)"
            " MailingCity:string(40) MailingState:string(80) MailingPostalCode:string(20) MailingCountry:string(80)"
        ),
    ),
    "Opportunity": (
        "006",
        (
            "Name:string(120)! AccountId:reference(Account,Account) ContactId:reference(Contact,Contact)"
            " StageName:picklist(255)! Amount:currency CloseDate:date! IsClosed:boolean~ IsWon:boolean~"
            " HasOpportunityLineItem:boolean~ Pricebook2Id:reference(Pricebook2,Pricebook2) Description:textarea(32000)"
            " Type:picklist"
        ),
    ),
    "OpportunityLineItem": (
        "00k",
        (
            "OpportunityId:reference(Opportunity,Opportunity)!"
            " PricebookEntryId:reference(PricebookEntry,PricebookEntry) Product2Id:reference(Product2,Product2)"
            " ProductCode:string(255)~ Name:string(376)~ SortOrder:int"
            " Quantity:double! UnitPrice:currency ListPrice:currency~ TotalPrice:currency Discount:percent"
            " ServiceDate:date Description:string(255)"
        ),
    ),
    "Product2": (
        "01t",
        "Name:string(255)! ProductCode:string(255) Description:textarea(4000) IsActive:boolean Family:picklist",
    ),
    "Pricebook2": ("01s", "Name:string(255)! IsActive:boolean IsStandard:boolean~"),
    "PricebookEntry": (
        "01u",
        (
            "Pricebook2Id:reference(Pricebook2,Pricebook2)! Product2Id:reference(Product2,Product2)!"
            " UnitPrice:currency! IsActive:boolean Name:string(255)~ ProductCode:string(255)~"
        ),
    ),
    "User": ("005", "Username:string(80)! Name:string(121)! Email:email(128)"),
    "Organization": ("00D", "Name:string(80)! OrganizationType:string(40) IsSandbox:boolean~"),
}
_SYSTEM = (
    "Id:id(18)~ IsDeleted:boolean~ CreatedDate:datetime~ CreatedById:reference(User,CreatedBy)~"
    " LastModifiedDate:datetime~ LastModifiedById:reference(User,LastModifiedBy)~ SystemModstamp:datetime~"
)
_WITH_CURRENCY = ("Account", "Contact", "Opportunity", "OpportunityLineItem", "Product2", "PricebookEntry")
_FIELD = re.compile(r"(\w+):(\w+)(?:\(([^)]*)\))?([!~*]*)")
FIELD_TYPES = frozenset(
    (
        *("string", "textarea", "picklist", "phone", "url", "email", "reference", "id", "boolean"),
        *("double", "currency", "percent", "int", "date", "datetime"),
    )
)


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field. `fixed`: only the org sets it. `relation`: the name by which queries follow a reference."""

    name: str
    type: str
    length: int = 0
    required: bool = False
    fixed: bool = False
    external_id: bool = False
    refers_to: str | None = None
    relation: str | None = None

    @property
    def label(self) -> str:
        """The name as people see it."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name.removesuffix("__c").replace("_", " "))

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    def described(self) -> dict[str, object]:
        """As `describe` shows it."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "length": self.length,
            "custom": self.custom,
            "nillable": not self.required,
            "createable": not self.fixed,
            "updateable": not self.fixed,
            "externalId": self.external_id,
            "unique": self.external_id,
            "idLookup": self.external_id or self.name == "Id",
            "referenceTo": [self.refers_to] if self.refers_to else [],
            "relationshipName": self.relation,
        }


@dataclass(slots=True)
class ObjectDef:
    """One object with its fields."""

    name: str
    prefix: str
    fields: dict[str, FieldDef] = field(default_factory=dict)

    def find(self, name: str) -> FieldDef | None:
        """A field by its name, whatever its case."""
        found = self.fields.get(name)
        if found is not None:
            return found
        return next((known for known in self.fields.values() if known.name.lower() == name.lower()), None)

    def related(self, relation: str) -> FieldDef | None:
        """The reference that a relationship name stands for."""
        return next((f for f in self.fields.values() if (f.relation or "").lower() == relation.lower()), None)


def parse_fields(text: str) -> list[FieldDef]:
    """Fields from the notation at the top of this module.

    Raises:
        ValueError: text of another form.
    """
    fields: list[FieldDef] = []
    for part in text.split():
        found = _FIELD.fullmatch(part)
        if found is None or found[2] not in FIELD_TYPES:
            raise ValueError(f"{part} is not name:type")
        name, kind, inside, marks = found[1], found[2], found[3] or "", found[4]
        refers_to, _, relation = inside.partition(",")
        is_reference = kind == "reference"
        fields.append(
            FieldDef(
                name=name,
                type=kind,
                length=18 if is_reference else int(inside or 0),
                required="!" in marks,
                fixed="~" in marks,
                external_id="*" in marks,
                refers_to=refers_to if is_reference else None,
                relation=(relation or name.replace("__c", "__r")) if is_reference else None,
            )
        )
    return fields


def new_object(name: str, prefix: str, fields: str, *, currency: bool) -> ObjectDef:
    """An object with the system fields and its own; in an org with several currencies it has a currency too."""
    own = parse_fields(f"{_SYSTEM} {fields}{' CurrencyIsoCode:picklist(3)' if currency else ''}")
    return ObjectDef(name, prefix, {one.name: one for one in own})


def standard_objects(*, multi_currency: bool) -> dict[str, ObjectDef]:
    """The objects of a fresh org."""
    return {
        name: new_object(name, prefix, fields, currency=multi_currency and name in _WITH_CURRENCY)
        for name, (prefix, fields) in _STANDARD.items()
    }
