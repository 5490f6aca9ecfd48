// Sends what is meant for Intuit's hosts to the emulator, as a resolver would; the clients stay as they are.
const tls = require('node:tls')

const port = Number(process.env.EMULATOR_PORT)
const connect = tls.connect

tls.connect = function (...told) {
  const [options] = told
  const name = options && typeof options === 'object' ? String(options.servername || options.host || '') : ''
  if (name.endsWith('.intuit.com')) {
    told[0] = { ...options, servername: name, host: '127.0.0.1', port, path: undefined, lookup: undefined }
  }
  return connect.apply(this, told)
}
