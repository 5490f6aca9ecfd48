const v1 = require('pipedrive/v1')
const v2 = require('pipedrive/v2')

const emulator = JSON.parse(process.env.EMULATOR)
const callback = 'http://localhost:9999/callback'

async function everyPage (asked) {
  const rows = []
  let cursor
  do {
    const answer = await asked(cursor)
    rows.push(...answer.data)
    cursor = answer.additional_data.next_cursor
  } while (cursor)
  return rows
}

async function refusal (asked) {
  try {
    await asked()
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}

async function main () {
  const oauth = new v2.OAuth2Configuration({
    clientId: emulator.client_id,
    clientSecret: emulator.client_secret,
    redirectUri: callback,
    host: emulator.base_url
  })
  await oauth.authorize(emulator.authorization_code)
  const spent = oauth.refreshToken
  await oauth.tokenRefresh()
  const byApp = new v2.Configuration({ accessToken: oauth.getAccessToken, basePath: oauth.basePath })
  const second = new v2.Configuration({ apiKey: emulator.api_token, basePath: `${emulator.base_url}/api/v2` })
  const first = new v1.Configuration({ apiKey: emulator.api_token, basePath: `${emulator.base_url}/v1` })

  const deals = new v2.DealsApi(second)
  const listed = await everyPage(cursor => deals.getDeals({ limit: 7, cursor, sort_by: 'update_time', status: 'won' }))
  const organization = await new v2.OrganizationsApi(second).addOrganization({ AddOrganizationRequest: { name: 'Zoë & Söhne' } })
  const person = await new v2.PersonsApi(byApp).addPerson({
    AddPersonRequest: { name: 'Ada Lovelace', emails: [{ value: 'ada@example.com', primary: true, label: 'work' }] }
  })
  const product = await new v2.ProductsApi(second).addProduct({
    AddProductRequest: { name: 'Roof', prices: [{ currency: 'USD', price: 12.34, cost: 0, notes: '' }] }
  })
  const made = await deals.addDeal({
    AddDealRequest: { title: 'New', currency: 'USD', org_id: organization.data.id, person_id: person.data.id }
  })
  const id = made.data.id
  const attached = await new v2.DealProductsApi(second).addDealProduct({
    id,
    AddDealProductRequest: { product_id: product.data.id, item_price: 12.34, quantity: 3, discount: 10, discount_type: 'percentage' }
  })
  const valued = await deals.getDeal({ id })
  const installments = new v2.DealInstallmentsApi(second)
  await installments.postInstallment({ id, AddInstallmentRequestBody: { amount: 10, billing_date: '2026-11-01', description: 'First' } })
  const parts = await installments.getInstallments({ deal_ids: [id, 1] })
  const products = await new v2.DealProductsApi(second).getDealsProducts({ deal_ids: [id, listed[0].id] })
  const fields = new v2.DealFieldsApi(second)
  const field = await fields.addDealField({ AddDealFieldRequest: { field_name: 'Terms', field_type: 'varchar' } })
  const named = (await everyPage(cursor => fields.getDealFields({ limit: 5, cursor }))).map(one => one.field_name)
  const won = await deals.updateDeal({
    id,
    UpdateDealRequest: { status: 'won', custom_fields: { [field.data.field_code]: 'Net 15' } }
  })
  await deals.deleteDeal({ id })
  const gone = await deals.getDeals({ status: 'deleted' })
  const hooks = new v1.WebhooksApi(first)
  const hook = await hooks.addWebhook({
    AddWebhookRequest: { subscription_url: 'https://a.test/h', event_action: '*', event_object: 'deal', version: '2.0', name: 'ours' }
  })
  const standing = await hooks.getWebhooks()
  const me = await new v1.UsersApi(first).getCurrentUser()
  const stranger = new v2.Configuration({ apiKey: 'nonsense', basePath: `${emulator.base_url}/api/v2` })
  const unauthorized = await refusal(() => new v2.DealsApi(stranger).getDeals())
  const wrong = await refusal(() => deals.updateDeal({ id: listed[0].id, UpdateDealRequest: { value: 'much' } }))
  oauth.refreshToken = spent
  const reused = await refusal(() => oauth.tokenRefresh())
  return {
    listed: [listed.length, new Set(listed.map(one => one.id)).size],
    name: organization.data.name,
    email: person.data.emails[0].value,
    value: [attached.data.sum, valued.data.value],
    parts: parts.data.map(one => [one.deal_id === id, one.amount, one.description]),
    products: products.data.length,
    fields: [named.includes('Terms'), new Set(named).size === named.length],
    won: [won.data.status, typeof won.data.won_time, won.data.custom_fields[field.data.field_code]],
    deleted: gone.data.map(one => one.id === id),
    hook: [hook.data.event_object, standing.data.length],
    me: [me.data.company_domain, String(me.data.company_id)],
    refusals: [unauthorized.error, unauthorized.success, wrong.success, reused.error]
  }
}

main().then(told => console.log(JSON.stringify(told)), error => {
  console.error(error.stack || JSON.stringify(error))
  process.exit(1)
})
