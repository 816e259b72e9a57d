// Texts of the steps of protocol sections 2 and 4: the label in the diagram, and one sentence of explanation.

export const handshakeTexts = {
  'step.gateway-connect': 'Ask for the provider',
  'step.gateway-connect.help': 'The tenant service connects to one gateway and asks for the provider.',
  'step.gateway-forward': 'Pass on',
  'step.gateway-forward.help':
    'The gateway passes the bytes on to the provider, and neither reads nor stores their content.',
  'step.certificate-presented': 'Certificate presented',
  'step.certificate-presented.help': 'The provider shows its certificate, through the gateway.',
  'step.certificate-checked': 'Certificate checked',
  'step.certificate-checked.help': 'The tenant decides: trusted by its chain, trusted by a pin, or refused.',
  'step.channel-established': 'TLS 1.3 channel',
  'step.channel-established.help':
    'From now on commands are encrypted end to end; the gateway sees only encrypted bytes.',
  'step.login': 'Login',
  'step.login.help':
    'The tenant proves its password without sending it; the proof is valid only for this channel, so an attacker in between cannot use it.',
  'step.session-authorized': 'Session authorized',
  'step.session-authorized.help': 'The provider checks quota and limits and reserves a place for the session.',
  'step.key-a-created': 'Key A created',
  'step.key-a-created.help': 'The provider makes Key A from fresh random bytes, for this attempt only.',
  'step.key-a-to-target': 'Key A to target',
  'step.key-a-to-target.help': 'The target data mover gets Key A over a local link that never leaves the provider.',
  'step.key-a-to-tenant': 'Key A to tenant',
  'step.key-a-to-tenant.help': 'The tenant gets Key A inside the TLS channel, with tickets for the data connections.',
  'step.key-b-created': 'Key B created',
  'step.key-b-created.help': 'The tenant makes Key B from fresh random bytes; Key B will encrypt the data.',
  'step.key-b-to-source': 'Key B to source',
  'step.key-b-to-source.help': 'The source data mover gets Key B over a local link that never leaves the tenant.',
  'step.tunnel-opened': 'Tunnel under Key A',
  'step.tunnel-opened.help': 'A connection through the gateway, encrypted under Key A, reaches the target data mover.',
  'step.key-b-delivered': 'Key B delivered',
  'step.key-b-delivered.help': 'Key B travels inside the tunnel; the gateway passes bytes that it cannot read.',
  'step.key-b-proven': 'Proof of Key B',
  'step.key-b-proven.help':
    'The target proves that it holds Key B; a wrong key, a wrong session or a replay is detected here.',
  'step.streams-open': 'Data streams under Key B',
  'step.streams-open.help':
    'Data flows from source to target through the gateway, encrypted under Key B and checked record by record.',
} as const;
