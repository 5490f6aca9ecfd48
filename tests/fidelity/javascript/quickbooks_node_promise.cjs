const { Quickbooks } = require('quickbooks-node-promise')
const { emulator, callback, consent, refusal, tell } = require('./support.cjs')

tell(async () => {
  const app = {
    appKey: emulator.client_id,
    appSecret: emulator.client_secret,
    redirectUrl: callback,
    scope: [Quickbooks.scopes.Accounting],
    storeMethod: 'Internal',
    useProduction: false,
    autoRefresh: false,
    minorversion: 75
  }
  const back = new URL(await consent(Quickbooks.authorizeUrl(app))).searchParams
  const client = new Quickbooks(app, back.get('realmId'))
  await client.createToken(back.get('code'))
  await client.refreshAccessToken()
  const vendors = await client.findVendors({ limit: 2, fetchAll: true })
  const counted = await client.countVendors()
  const bill = await client.createBill({
    VendorRef: { value: vendors.QueryResponse.Vendor[0].Id },
    Line: [
      {
        Amount: 12.34,
        DetailType: 'AccountBasedExpenseLineDetail',
        AccountBasedExpenseLineDetail: { AccountRef: { value: '7' } }
      }
    ]
  })
  const changed = await client.updateBill({ ...bill.Bill, PrivateNote: 'seen' })
  const file = await client.upload('a.txt', 'text/plain', Buffer.from('hello'), 'Bill', bill.Bill.Id)
  const unknown = await refusal(() => client.findBills({ items: [{ field: 'PrivateNote', value: 'seen' }] }))
  return {
    vendors: [vendors.QueryResponse.Vendor.length, counted.QueryResponse.totalCount],
    bill: [bill.Bill.TotalAmt, typeof bill.specialHeaders.intuitTid],
    changed: [changed.Bill.SyncToken, changed.Bill.PrivateNote],
    file: file.AttachableResponse[0].Attachable.Size,
    unknown: unknown.errorResponse.Fault.Error[0].code
  }
})
