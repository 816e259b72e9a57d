import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { deriveScramKeys, makeScramVerifier, ScramClient, ScramServer, scramIterations, signScram } from './scram.ts';
import type { ScramClientOptions, ScramOutcome, ScramVerifier } from './scram.ts';

const channelBinding = Buffer.alloc(32, 7);
const iterations = 4096;
const verifier = await makeScramVerifier('correct horse', { iterations });
const unknownUserSecret = Secret.take(Buffer.alloc(32, 9));

const server = (binding = channelBinding): ScramServer =>
  new ScramServer({
    channelBinding: binding,
    findVerifier: (name): ScramVerifier | undefined => (name === 'acme, inc=1' ? verifier : undefined),
    unknownUserSecret,
    iterations,
  });

const client = (difference: Partial<ScramClientOptions> = {}): ScramClient =>
  new ScramClient({
    userName: 'acme, inc=1',
    password: 'correct horse',
    channelBinding,
    minIterations: 4096,
    ...difference,
  });

async function login(theClient: ScramClient, theServer: ScramServer): Promise<ScramOutcome> {
  return theServer.final(await theClient.answer(await theServer.first(theClient.first())));
}

const codeOf = (code: string): unknown => expect.objectContaining({ code });

const salt = Buffer.alloc(16).toString('base64');

describe('SCRAM-SHA-256', () => {
  it('computes the example of RFC 7677', async () => {
    const keys = await deriveScramKeys('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096);
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const authMessage = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
    const { clientProof, serverSignature } = signScram(keys, authMessage);
    expect(clientProof.toString('base64')).toBe('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=');
    expect(serverSignature.toString('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  it('uses 600,000 rounds and a new salt every time by default', async () => {
    expect(scramIterations).toBe(600_000);
    const another = await makeScramVerifier('correct horse', { iterations });
    expect(another.salt.equals(verifier.salt)).toBe(false);
  });

  it('accepts the right password, and the server proves that it knows the verifier', async () => {
    const theClient = client();
    const outcome = await login(theClient, server());
    expect(outcome).toMatchObject({ isAccepted: true, userName: 'acme, inc=1' });
    expect(() => {
      theClient.verify(outcome.message);
    }).not.toThrow();
  });

  it('takes the same password typed in another Unicode form', async () => {
    const composed = await makeScramVerifier('na\u00efve\u00a0pass', { iterations });
    const theServer = new ScramServer({ channelBinding, findVerifier: () => composed, unknownUserSecret });
    expect((await login(client({ password: 'nai\u0308ve pass' }), theServer)).isAccepted).toBe(true);
  });

  it('refuses a wrong password and an unknown user in the same way', async () => {
    const wrong = client({ password: 'wrong' });
    const unknown = client({ userName: 'nobody' });
    const [first, second] = [await login(wrong, server()), await login(unknown, server())];
    expect(first).toMatchObject({ isAccepted: false, message: second.message, error: { code: 'login.refused' } });
    expect(second).toMatchObject({ isAccepted: false, error: { code: 'login.refused' } });
    expect(() => {
      wrong.verify(first.message);
    }).toThrow(codeOf('login.refused'));
  });

  it('gives an unknown user the same salt every time and the usual number of rounds', async () => {
    const saltOf = async (userName: string): Promise<string | undefined> =>
      /,s=([^,]*),i=4096$/.exec(await server().first(client({ userName }).first()))?.[1];
    expect(await saltOf('nobody')).toBe(await saltOf('nobody'));
    expect(await saltOf('nobody')).not.toBe(await saltOf('somebody'));
  });

  it('distinguishes a relayed login from a wrong password, on both sides', async () => {
    const theClient = client();
    const outcome = await login(theClient, server(Buffer.alloc(32, 8)));
    expect(outcome).toMatchObject({ isAccepted: false, error: { code: 'security.channel-binding' } });
    expect(() => {
      theClient.verify(outcome.message);
    }).toThrow(codeOf('security.channel-binding'));
  });

  it('refuses a client without channel binding', async () => {
    await expect(server().first('n,,n=acme,r=0123456789abcdef')).rejects.toThrow(codeOf('security.channel-binding'));
    await expect(server().first('y,,n=acme,r=0123456789abcdef')).rejects.toThrow(codeOf('security.channel-binding'));
    await expect(server().first('p=tls-unique,,n=acme,r=0123456789abcdef')).rejects.toThrow(
      codeOf('protocol.malformed'),
    );
  });

  it('refuses a server that does not know the verifier', async () => {
    const theClient = client();
    await theClient.answer(await server().first(theClient.first()));
    expect(() => {
      theClient.verify(`v=${Buffer.alloc(32).toString('base64')}`);
    }).toThrow(codeOf('security.key-proof'));
  });

  it('does not answer a server that asks for very few or very many rounds', async () => {
    for (const rounds of [1, 4095, 100_000_000]) {
      const theClient = client({ nonce: 'n'.repeat(20) });
      await expect(theClient.answer(`r=${'n'.repeat(20)}x,s=${salt},i=${rounds}`)).rejects.toThrow(
        codeOf('protocol.malformed'),
      );
    }
  });

  it.each([0, 1, 7, 65, 1000])('does not answer a server that sends a salt of %i bytes', async (bytes) => {
    const named = Buffer.alloc(bytes, 1).toString('base64');
    const answer = client({ nonce: 'n'.repeat(20), minIterations: 1 }).answer(`r=${'n'.repeat(20)}x,s=${named},i=1`);
    await expect(answer).rejects.toThrow(codeOf('protocol.malformed'));
  });

  it.each([
    `r=other,s=${salt},i=4096`,
    `r=${'n'.repeat(20)},s=${salt},i=4096`,
    `r=${'n'.repeat(20)}x,s=***,i=4096`,
    `r=${'n'.repeat(20)}x,s=${salt}`,
    '',
    'x'.repeat(5000),
  ])('refuses the server message %#', async (message) => {
    await expect(client({ nonce: 'n'.repeat(20) }).answer(message)).rejects.toThrow(codeOf('protocol.malformed'));
  });

  it('allows one login for each object, and its steps only in order', async () => {
    const theServer = server();
    const theClient = client();
    const final = await theClient.answer(await theServer.first(theClient.first()));
    theServer.final(final);
    expect(() => theServer.final(final)).toThrow(codeOf('protocol.malformed'));
  });
});
