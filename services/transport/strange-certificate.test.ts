import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { expect, it } from 'vitest';

import { FarkeepError } from '../kernel/farkeep-error.ts';
import { OpenSsl } from '../testing/certificates/openssl.ts';
import { connectControl, type PresentedCertificate } from './control-client.ts';
import { controlProtocol } from './tls-settings.ts';

// Node 26.10 crashes (SIGSEGV) when it creates its own certificate object for such a key. A malicious gateway could crash every tenant that
// way.
it.each(['secp256k1', 'brainpoolP256r1'])(
  'a trusted chain with a key on %s does not crash the process and is shown completely',
  async (curve) => {
    await using openssl = await OpenSsl.create();
    const root = await openssl.authority('Root');
    const strange = await openssl.authority('Strange', { issuer: root, key: `EC:${curve}` });
    const leaf = await openssl.server(['DNS:gw.a.test'], { issuer: strange });
    const server = createServer({
      cert: leaf.certPem + strange.certPem,
      key: leaf.keyPem,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [controlProtocol],
    });
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', (socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    let presented: PresentedCertificate | undefined;
    const connecting = connectControl({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      serverName: 'gw.a.test',
      roots: [root.certPem],
      decideTrust: (given) => {
        presented = given;
        return Promise.resolve({ isAccepted: false, error: new FarkeepError('trust.refused') });
      },
    });
    await expect(connecting).rejects.toMatchObject({ code: 'trust.refused' });
    server.close();
    expect(presented?.isAuthorized).toBe(true);
    expect(presented?.chainDer).toHaveLength(3);
  },
);
