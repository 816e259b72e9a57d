import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { expect, it } from 'vitest';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import { mint } from '../testing/certificates/minted-certificates.ts';
import { connectControl } from './control-client.ts';
import { controlProtocol } from './tls-settings.ts';

it.each([
  ['GW.A.Test.', ['gw.a.test']],
  ['bücher.example', ['xn--bcher-kva.example']],
  ['127.0.0.1', []],
  ['127.1', []],
  ['[::1]', []],
])('a provider dialed as %s gets the server name %j', async (serverName, expected) => {
  const leaf = mint({ names: ['gw.a.test'] });
  const requestedNames: string[] = [];
  const server = createServer({
    cert: leaf.certPem,
    key: leaf.keyPem,
    ALPNProtocols: [controlProtocol],
    SNICallback: (name, done) => {
      requestedNames.push(name);
      done(null);
    },
  });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const decideTrust = () => Promise.resolve({ isAccepted: false as const, error: new FarkeepError('trust.refused') });
  await expect(connectControl({ host: '127.0.0.1', port, serverName, decideTrust })).rejects.toMatchObject({
    code: 'trust.refused',
  });
  server.close();
  expect(requestedNames).toEqual(expected);
});
