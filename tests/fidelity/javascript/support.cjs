// What every judge needs: the emulator's ready line, a user's consent, and one answer for the test to look at.
const emulator = JSON.parse(process.env.EMULATOR)
const callback = 'http://localhost:9999/callback'

async function consent (url) {
  const answer = await fetch(url, { redirect: 'manual' })
  return answer.headers.get('location')
}

// For clients that leave it to their users to get the tokens.
async function tokens () {
  const asked = new URLSearchParams({
    client_id: emulator.client_id,
    response_type: 'code',
    scope: 'com.intuit.quickbooks.accounting',
    redirect_uri: callback,
    state: 's1'
  })
  const back = new URL(await consent(`https://appcenter.intuit.com/connect/oauth2?${asked}`)).searchParams
  const answer = await fetch('https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer', {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.get('code'),
      redirect_uri: callback,
      client_id: emulator.client_id,
      client_secret: emulator.client_secret
    })
  })
  return answer.json()
}

async function refusal (asked) {
  try {
    await asked()
  } catch (error) {
    return error
  }
  throw new Error('it was not refused')
}

function tell (judge) {
  judge().then(
    (seen) => process.stdout.write(JSON.stringify(seen)),
    (error) => {
      process.stderr.write(String(error && error.stack ? error.stack : JSON.stringify(error)))
      process.exitCode = 1
    }
  )
}

module.exports = { emulator, callback, consent, tokens, refusal, tell }
