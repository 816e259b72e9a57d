// The sessions domain of the provider, and the statement that it signs about a session.
import { verify, X509Certificate, constants } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DomainClient } from '../../contracts/contract.ts';
import { sessionsDomain } from '../../contracts/rpc/sessions.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { summarize } from '../../pki/certificate/certificate-summary.ts';
import { MemoryCertificates } from '../../testing/certificates/memory-certificates.ts';
import { mint, newKey, type Minted } from '../../testing/certificates/minted-certificates.ts';
import { adminAtCommandLine, callHandlers, refusalOf, standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { RecordedAudit } from '../../testing/recorded-audit.ts';
import { sampleDetail } from '../../testing/session/sample-session.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import { sessionHandlers } from './session-handlers.ts';

const sessionId = 'a'.repeat(32);
const minted = mint({ subject: 'Northwind' });

describe('the sessions of a provider', () => {
  let asked: string[];
  let audit: RecordedAudit;
  let failure: FarkeepError | undefined;
  let calls: DomainClient<typeof sessionsDomain>;

  const open = (identity: Minted | null = minted): DomainClient<typeof sessionsDomain> => {
    const certificates = new MemoryCertificates();
    if (identity !== null) certificates.install('provider', identity);
    const { store } = certificates;
    const ask = (what: string) => async (id: string) => {
      asked.push(`${what} ${id}`);
      if (failure !== undefined) throw failure;
    };
    const sessions = standIn<ProviderSessions>({
      list: async (limit) => {
        asked.push(`list ${limit}`);
        return [];
      },
      show: async (id) => {
        if (id !== sessionId) throw new FarkeepError('call.not-found', 'There is no such session');
        return {
          detail: sampleDetail(sessionId),
          samples: [sampleOfThroughput],
          context: { tenantName: 'contoso', storedBytes: 77 } as Awaited<
            ReturnType<ProviderSessions['show']>
          >['context'],
        };
      },
      cancelByProvider: ask('cancel'),
      pauseByProvider: ask('pause'),
      resumeByProvider: ask('resume'),
    });
    return callHandlers(
      sessionsDomain,
      sessionHandlers({ sessions, store, providerName: 'Northwind', audit: audit.log }),
    );
  };
  const sampleOfThroughput = {
    at: '2027-03-01T12:00:00.000Z',
    readBytesPerSecond: 1,
    transferredBytesPerSecond: 2,
  };

  beforeEach(() => {
    asked = [];
    failure = undefined;
    audit = new RecordedAudit(new ManualClock(0));
    calls = open();
  });

  it('lists as many sessions as are asked for, 500 when nothing is said', async () => {
    await calls.list({});
    await calls.list({ limit: 10_000 });
    expect(asked).toEqual(['list 500', 'list 10000']);
    for (const limit of [0, 10_001, 1.5]) {
      expect(await refusalOf(calls.list({ limit }))).toMatchObject({ code: 'call.invalid', field: 'limit' });
    }
  });

  it('shows a session and its throughput', async () => {
    expect(await calls.show({ sessionId })).toMatchObject({ id: sessionId, repository: 'main' });
    expect((await calls.throughput({ sessionId })).samples).toMatchObject([sampleOfThroughput]);
    expect(await refusalOf(calls.show({ sessionId: 'b'.repeat(32) }))).toMatchObject({ code: 'call.not-found' });
    expect(await refusalOf(calls.show({ sessionId: 'short' }))).toMatchObject({ field: 'sessionId' });
    expect(audit.entries).toEqual([]);
  });

  describe.each(['cancel', 'pause', 'resume'] as const)('to %s', (command) => {
    it('is passed on and recorded', async () => {
      expect(await calls[command]({ sessionId })).toEqual({});
      expect(asked).toEqual([`${command} ${sessionId}`]);
      expect(audit.lines).toEqual([`${adminAtCommandLine}: session.${command} ${sessionId}`]);
    });

    it('is not recorded when it was refused', async () => {
      failure = new FarkeepError('call.conflict', 'Not now');
      expect(await refusalOf(calls[command]({ sessionId }))).toMatchObject({ code: 'call.conflict' });
      expect(audit.entries).toEqual([]);
    });
  });

  it.each([
    ['ECDSA-SHA256', newKey('P-256')],
    ['ECDSA-SHA384', newKey('P-384')],
    ['RSA-PSS-SHA256', newKey(2048)],
  ])('signs evidence with the key of the identity in service: %s', async (algorithm, key) => {
    const identity = mint({ subject: 'Northwind', key });
    const evidence = await open(identity).evidence({ sessionId });
    expect(evidence).toMatchObject({
      farkeepEvidence: 1,
      algorithm,
      certificate: summarize(identity.certPem).pem,
    });
    expect(JSON.parse(evidence.statement)).toMatchObject({
      sessionId,
      provider: 'Northwind',
      tenant: 'contoso',
      storedBytes: 77,
    });
    const { publicKey } = new X509Certificate(evidence.certificate ?? '');
    const padding = algorithm.startsWith('RSA') ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {};
    const isGenuine = verify(
      algorithm.endsWith('384') ? 'sha384' : 'sha256',
      Buffer.from(evidence.statement),
      { key: publicKey, ...padding },
      Buffer.from(evidence.signature ?? '', 'base64'),
    );
    expect(isGenuine).toBe(true);
  });

  it('signs nothing without a certificate, and nothing about an unknown session', async () => {
    expect(await refusalOf(open(null).evidence({ sessionId }))).toMatchObject({ code: 'certificate.none' });
    expect(await refusalOf(calls.evidence({ sessionId: 'b'.repeat(32) }))).toMatchObject({ code: 'call.not-found' });
  });
});
