// Texts of the steps of protocol sections 2 and 4: the label in the diagram, and one sentence of explanation.

export const handshakeTexts = {
  'step.gateway-connect': 'Request the provider',
  'step.gateway-connect.help': 'The tenant service connects to a gateway and requests the provider.',
  'step.gateway-forward': 'Relay',
  'step.gateway-forward.help':
    'The gateway relays the traffic to the provider. It cannot read it and does not store it.',
  'step.certificate-presented': 'Certificate presented',
  'step.certificate-presented.help': 'The provider presents its certificate through the gateway.',
  'step.certificate-checked': 'Certificate checked',
  'step.certificate-checked.help': 'The tenant decides: trusted by its chain, trusted by a pin, or refused.',
  'step.channel-established': 'TLS 1.3 channel',
  'step.channel-established.help':
    'From now on, commands are encrypted end to end. The gateway sees only encrypted traffic.',
  'step.login': 'Login',
  'step.login.help':
    'The tenant proves that it has the password without sending it. The proof is valid only for this channel, so an attacker who intercepts it cannot use it.',
  'step.session-authorized': 'Session authorized',
  'step.session-authorized.help': 'The provider checks quota and limits, and reserves a task for the session.',
  'step.key-a-created': 'Key A created',
  'step.key-a-created.help': 'The provider creates Key A from new random bytes, for this attempt only.',
  'step.key-a-to-target': 'Key A to target',
  'step.key-a-to-target.help': 'The target data mover gets Key A over a local link that never leaves the provider.',
  'step.key-a-to-tenant': 'Key A to tenant',
  'step.key-a-to-tenant.help': 'The tenant gets Key A inside the TLS channel, with tickets for the data connections.',
  'step.key-b-created': 'Key B created',
  'step.key-b-created.help': 'The tenant creates Key B from new random bytes. Key B encrypts the data.',
  'step.key-b-to-source': 'Key B to source',
  'step.key-b-to-source.help': 'The source data mover gets Key B over a local link that never leaves the tenant.',
  'step.tunnel-opened': 'Tunnel with Key A',
  'step.tunnel-opened.help': 'A connection through the gateway, encrypted with Key A, reaches the target data mover.',
  'step.key-b-delivered': 'Key B delivered',
  'step.key-b-delivered.help': 'Key B is sent inside the tunnel. The gateway relays it but cannot read it.',
  'step.key-b-proven': 'Proof of Key B',
  'step.key-b-proven.help':
    'The target proves that it has Key B. A wrong key, a wrong session, or a replay is detected here.',
  'step.streams-open': 'Data streams with Key B',
  'step.streams-open.help':
    'Data is sent from source to target through the gateway, encrypted with Key B. Each record is verified.',
} as const;
