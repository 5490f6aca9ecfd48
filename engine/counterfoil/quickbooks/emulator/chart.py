"""The company that a fresh emulator starts with: its accounts, terms, payment methods, and settings.

Numbers of the usual accounts follow Intuit's US sandbox company (1 Services, 33 Accounts Payable, 35 Checking,
84 Accounts Receivable, 86 Discounts given …). There are no customers, items or documents, so totals start at 0.
"""

from counterfoil_schema.exact_json import JsonObject

SERVICES = "1"
UNDEPOSITED_FUNDS = "4"
ACCOUNTS_PAYABLE = "33"
CHECKING = "35"
PRODUCT_INCOME = "79"
COST_OF_GOODS_SOLD = "80"
ACCOUNTS_RECEIVABLE = "84"
DISCOUNTS_GIVEN = "86"
OPENING_EQUITY = "34"
UNAPPLIED_INCOME = "87"
UNAPPLIED_EXPENSE = "88"
SALES_TAX_PAYABLE = "90"

COMPANY_NAME = "Sandbox Company"
COMPANY_ZONE = "America/Los_Angeles"
HOME_CURRENCY = "USD"

# Id, name, type, sub-type.
ACCOUNTS = (
    (SERVICES, "Services", "Income", "ServiceFeeIncome"),
    ("2", "Retained Earnings", "Equity", "RetainedEarnings"),
    (UNDEPOSITED_FUNDS, "Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    ("7", "Advertising", "Expense", "AdvertisingPromotional"),
    ("11", "Insurance", "Expense", "Insurance"),
    ("15", "Office Expenses", "Expense", "OfficeGeneralAdministrativeExpenses"),
    ("17", "Rent or Lease", "Expense", "RentOrLeaseOfBuildings"),
    ("26", "Payroll Wages", "Expense", "PayrollExpenses"),
    ("27", "Payroll Taxes", "Expense", "PayrollExpenses"),
    ("28", "Payroll Benefits", "Expense", "PayrollExpenses"),
    (ACCOUNTS_PAYABLE, "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    (OPENING_EQUITY, "Opening Balance Equity", "Equity", "OpeningBalanceEquity"),
    (CHECKING, "Checking", "Bank", "Checking"),
    ("36", "Savings", "Bank", "Savings"),
    ("42", "Visa", "Credit Card", "CreditCard"),
    ("60", "Wages", "Expense", "PayrollExpenses"),
    ("61", "Payroll Liabilities", "Other Current Liability", "PayrollTaxPayable"),
    ("62", "Payroll Clearing", "Other Current Liability", "PayrollClearing"),
    ("63", "Benefits Payable", "Other Current Liability", "OtherCurrentLiabilities"),
    (PRODUCT_INCOME, "Sales of Product Income", "Income", "SalesOfProductIncome"),
    (COST_OF_GOODS_SOLD, "Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs"),
    ("81", "Inventory Asset", "Other Current Asset", "Inventory"),
    ("82", "Design income", "Income", "OtherPrimaryIncome"),
    ("83", "Freight Income", "Income", "ServiceFeeIncome"),
    (ACCOUNTS_RECEIVABLE, "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    ("85", "Billable Expense Income", "Income", "ServiceFeeIncome"),
    (DISCOUNTS_GIVEN, "Discounts given", "Income", "DiscountsRefundsGiven"),
    (UNAPPLIED_INCOME, "Unapplied Cash Payment Income", "Income", "UnappliedCashPaymentIncome"),
    (UNAPPLIED_EXPENSE, "Unapplied Cash Bill Payment Expense", "Expense", "UnappliedCashBillPaymentExpense"),
    (SALES_TAX_PAYABLE, "Sales Tax Payable", "Other Current Liability", "GlobalTaxPayable"),
)

TERMS = (("1", "Due on receipt", 0), ("2", "Net 15", 15), ("3", "Net 30", 30), ("4", "Net 60", 60))
PAYMENT_METHODS = (("1", "Cash"), ("2", "Check"), ("3", "Visa"), ("4", "MasterCard"))


def company_info() -> JsonObject:
    """CompanyInfo of a US company on QuickBooks Online Plus."""
    return {
        "CompanyName": COMPANY_NAME,
        "LegalName": COMPANY_NAME,
        "CompanyAddr": {
            "Id": "1",
            "Line1": "123 Sierra Way",
            "City": "San Pablo",
            "Country": "USA",
            "CountrySubDivisionCode": "CA",
            "PostalCode": "87999",
        },
        "CompanyStartDate": "2026-01-01",
        "FiscalYearStartMonth": "January",
        "Country": "US",
        "Email": {"Address": "books@example.com"},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "DefaultTimeZone": COMPANY_ZONE,
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"},
            {"Name": "IndustryType", "Value": "Landscaping Services"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "PayrollFeature", "Value": "false"},
            {"Name": "AccountantFeature", "Value": "false"},
        ],
    }


def preferences() -> JsonObject:
    """Preferences as a new company has them; automatic document numbers, one currency, no closed period."""
    return {
        "AccountingInfoPrefs": {
            "FirstMonthOfFiscalYear": "January",
            "UseAccountNumbers": False,
            "TaxYearMonth": "January",
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "TrackDepartments": True,
            "CustomerTerminology": "Customers",
        },
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityWithPriceAndRate": True},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": False,
            "AllowDeposit": False,
            "AllowDiscount": True,
            "AllowShipping": False,
            "DefaultTerms": {"value": "3"},
        },
        "EmailMessagesPrefs": {
            f"{form}Message": {"Subject": f"{form} from {COMPANY_NAME}", "Message": "Thank you for your business."}
            for form in ("Invoice", "Estimate", "SalesReceipt", "Statement")
        },
        "VendorAndPurchasesPrefs": {"TrackingByCustomer": True, "BillableExpenseTracking": True},
        "TimeTrackingPrefs": {
            "UseServices": True,
            "BillCustomers": True,
            "ShowBillRateToAll": False,
            "MarkTimeEntriesBillable": True,
            "WorkWeekStartDate": "Monday",
        },
        "TaxPrefs": {"UsingSalesTax": False, "PartnerTaxEnabled": False},
        "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": HOME_CURRENCY}},
        "ReportPrefs": {"ReportBasis": "Accrual"},
        "OtherPrefs": {
            "NameValue": [
                {"Name": "SalesFormsPrefs.DefaultCustomerMessage", "Value": "Thank you for your business!"},
                {"Name": "WarnDuplicateJournalNumber", "Value": "false"},
            ]
        },
    }
