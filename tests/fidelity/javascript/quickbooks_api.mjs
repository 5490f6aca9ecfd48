import { ApiClient, AuthProvider, AuthScopes, Environment, InvoiceStatus } from 'quickbooks-api'
import support from './support.cjs'

const { emulator, callback, consent, tell } = support

tell(async () => {
  const provider = new AuthProvider(emulator.client_id, emulator.client_secret, callback, [AuthScopes.Accounting])
  const back = new URL(await consent(provider.generateAuthUrl().toString())).searchParams
  await provider.exchangeCode(back.get('code'), back.get('realmId'))
  await provider.refresh()
  const client = new ApiClient(provider, Environment.Sandbox)
  const pages = []
  for (let page = 1, more = true; more; page += 1) {
    const searchOptions = { maxResults: 10, page, orderBy: { field: 'Id', direction: 'DESC' } }
    const found = await client.customers.getAllCustomers({ searchOptions })
    pages.push(...found.results.map((one) => one.Id))
    more = found.hasNextPage
  }
  const paid = await client.invoices.getAllInvoices({ status: InvoiceStatus.Paid })
  const since = await client.payments.getPaymentsForDateRange(new Date('2014-01-01'), new Date(Date.now() + 864e5))
  const company = await client.companyInfo.getCompanyInfo()
  return {
    pages: [pages.length, new Set(pages).size],
    paid: paid.results.map((one) => one.Balance),
    payments: since.results.length,
    company: company.CompanyName ?? company.companyInfo?.CompanyName
  }
})
