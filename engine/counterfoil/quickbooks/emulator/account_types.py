"""Which sub-types of accounts stand under which type: an account may be made by its sub-type alone.

Source: Intuit's page on types and sub-types of accounts, and the values of its schema.
"""

from collections.abc import Mapping
from typing import Final

SUBTYPES: Final[Mapping[str, str]] = {
    "Bank": "Checking Savings CashOnHand CashAndCashEquivalents MoneyMarket OtherEarMarkedBankAccounts "
    "RentsHeldInTrust TrustAccounts",
    "Accounts Receivable": "AccountsReceivable",
    "Other Current Asset": "OtherCurrentAssets AllowanceForBadDebts AssetsAvailableForSale BalWithGovtAuthorities "
    "DevelopmentCosts EmployeeCashAdvances Inventory Investment_MortgageRealEstateLoans Investment_Other "
    "Investment_TaxExemptSecurities Investment_USGovernmentObligations LoansToOfficers LoansToOthers "
    "LoansToStockholders PrepaidExpenses Retainage UndepositedFunds",
    "Fixed Asset": "OtherFixedAssets AccumulatedAmortization AccumulatedDepletion AccumulatedDepreciation "
    "AssetsInCourseOfConstruction Buildings CapitalWip DepletableAssets FixedAssetComputers FixedAssetCopiers "
    "FixedAssetFurniture FixedAssetOtherToolsEquipment FixedAssetPhone FixedAssetPhotoVideo FixedAssetSoftware "
    "IntangibleAssets Land LeaseholdImprovements MachineryAndEquipment FurnitureAndFixtures Vehicles",
    "Other Asset": "OtherLongTermAssets AccumulatedAmortizationOfOtherAssets AssetsHeldForSale Goodwill LeaseBuyout "
    "Licenses OrganizationalCosts SecurityDeposits",
    "Accounts Payable": "AccountsPayable",
    "Credit Card": "CreditCard",
    "Other Current Liability": "OtherCurrentLiabilities CurrentTaxLiability DirectDepositPayable "
    "FederalIncomeTaxPayable GlobalTaxPayable GlobalTaxSuspense InsurancePayable LineOfCredit LoanPayable "
    "PayrollClearing PayrollTaxPayable PrepaidExpensesPayable RentsInTrustLiability SalesTaxPayable "
    "StateLocalIncomeTaxPayable TrustAccountsLiabilities",
    "Long Term Liability": "OtherLongTermLiabilities AccrualsAndDeferredIncome NotesPayable ShareholderNotesPayable",
    "Equity": "OpeningBalanceEquity AccumulatedAdjustment CommonStock EstimatedTaxes Healthcare OwnersEquity "
    "PaidInCapitalOrSurplus PartnerContributions PartnerDistributions PartnersEquity PersonalExpense PersonalIncome "
    "PreferredStock RetainedEarnings TreasuryStock",
    "Income": "ServiceFeeIncome CashReceiptIncome DiscountsRefundsGiven NonProfitIncome OperatingGrants "
    "OtherPrimaryIncome SalesOfProductIncome UnappliedCashPaymentIncome",
    "Other Income": "OtherMiscellaneousIncome DividendIncome GainLossOnSaleOfFixedAssets GainLossOnSaleOfInvestments "
    "InterestEarned LossOnDisposalOfAssets OtherInvestmentIncome TaxExemptInterest",
    "Cost of Goods Sold": "SuppliesMaterialsCogs CostOfLaborCos CostOfSales EquipmentRentalCos FreightAndDeliveryCost "
    "OtherCostsOfServiceCos ShippingFreightDeliveryCos",
    "Expense": "OtherMiscellaneousServiceCost AdvertisingPromotional Auto BadDebts BankCharges CharitableContributions "
    "CommissionsAndFees CostOfLabor DuesSubscriptions Entertainment EntertainmentMeals EquipmentRental FinanceCosts "
    "GlobalTaxExpense Insurance InterestPaid LegalProfessionalFees OfficeExpenses OfficeGeneralAdministrativeExpenses "
    "OtherBusinessExpenses PayrollExpenses PromotionalMeals RentOrLeaseOfBuildings RepairMaintenance "
    "ShippingFreightDelivery SuppliesMaterials TaxesPaid Travel TravelMeals UnappliedCashBillPaymentExpense Utilities",
    "Other Expense": "OtherMiscellaneousExpense Amortization Depreciation ExchangeGainOrLoss GasAndFuel HomeOffice "
    "HomeOwnerRentalInsurance MortgageInterest OtherHomeOfficeExpenses OtherVehicleExpenses ParkingAndTolls "
    "PenaltiesSettlements RentAndLease RepairsAndMaintenance Vehicle VehicleInsurance VehicleLease VehicleLoan "
    "VehicleLoanInterest VehicleRegistration VehicleRepairs WashAndRoadServices",
}
"""By type, with blanks in between; the first is that of an account that names none."""

TYPE_OF_SUBTYPE: Final[Mapping[str, str]] = {
    subtype: kind for kind, subtypes in SUBTYPES.items() for subtype in subtypes.split()
}
DEFAULT_SUBTYPE: Final[Mapping[str, str]] = {
    **{kind: subtypes.split()[0] for kind, subtypes in SUBTYPES.items()},
    "Non-Posting": "OtherCurrentAssets",
}
