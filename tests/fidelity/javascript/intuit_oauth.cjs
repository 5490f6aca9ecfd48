const OAuthClient = require('intuit-oauth')
const { emulator, callback, consent, refusal, tell } = require('./support.cjs')

tell(async () => {
  const client = new OAuthClient({
    clientId: emulator.client_id,
    clientSecret: emulator.client_secret,
    environment: 'sandbox',
    redirectUri: callback,
    includeRefreshTokenHardExpiresIn: true
  })
  const { Accounting, OpenId, Email } = OAuthClient.scopes
  await client.createToken(await consent(client.authorizeUri({ scope: [Accounting, OpenId, Email], state: 's1' })))
  const first = { ...client.getToken() }
  const identified = await client.validateIdToken()
  const user = (await client.getUserInfo()).json
  await client.refresh()
  const company = `v3/company/${client.getToken().realmId}`
  const info = (await client.makeApiCall({ url: `${company}/companyinfo/${emulator.realm_id}` })).json
  const found = await client.makeApiCall({ url: `${company}/query?query=select * from Invoice maxresults 1` })
  const invoice = found.json.QueryResponse.Invoice[0]
  const pdf = await client.makeApiCall({
    url: `${company}/invoice/${invoice.Id}/pdf`,
    headers: { Accept: 'application/pdf' },
    responseType: 'arraybuffer'
  })
  const lost = await refusal(() => client.makeApiCall({ url: `${company}/invoice/99999999` }))
  await client.revoke({ access_token: client.getToken().access_token })
  const gone = await refusal(() => client.refreshUsingToken(first.refresh_token))
  return {
    realm: first.realmId,
    lifetimes: [first.expires_in, first.x_refresh_token_expires_in],
    identified,
    email: user.email,
    company: info.CompanyInfo.CompanyName,
    pdf: Buffer.from(pdf.data).subarray(0, 5).toString(),
    lost: [lost.code, typeof lost.intuitTid],
    gone: gone.error
  }
})
