// What a logged-in tenant may ask besides its sessions.
import { beforeEach, describe, expect, it } from 'vitest';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { MemoryCertificates } from '../../testing/certificates/memory-certificates.ts';
import { mint } from '../../testing/certificates/minted-certificates.ts';
import { standIn } from '../../testing/handler-calls.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { openProviderInMemory } from '../../testing/provider-in-memory.ts';
import { sampleDetail } from '../../testing/session/sample-session.ts';
import { maxGateways, tenantRequests } from '../../wire/control-messages.ts';
import type { TenantAccounts } from '../accounts/tenant-accounts.ts';
import type { Gateways } from '../gateways/gateways.ts';
import type { PointDeletion } from '../repositories/point-deletion.ts';
import type { PointList } from '../repositories/point-list.ts';
import type { ProviderSessions } from '../sessions/provider-sessions.ts';
import { tenantRequestHandlers } from './tenant-requests.ts';

const [own, foreign] = ['a'.repeat(32), 'b'.repeat(32)];
const tenantId = 'c'.repeat(32);
const address = [{ host: 'gw.test', port: 6180 }];
const later = '2999-01-01T00:00:00.000Z';

describe('the requests of a tenant', () => {
  let accounts: TenantAccounts;
  let gateways: Gateways;
  let loads: Map<string, number>;
  let asked: unknown[];
  let shown: string[];
  let requests: ReturnType<typeof tenantRequestHandlers>;

  beforeEach(async () => {
    ({ accounts, gateways } = await openProviderInMemory(new ManualClock(Date.parse('2027-03-01T12:00:00Z'))));
    loads = new Map();
    asked = [];
    shown = [];
    const certificates = new MemoryCertificates();
    certificates.install('provider', mint({}));
    requests = tenantRequestHandlers({
      accounts,
      gateways,
      points: standIn<PointList>({
        page: async (...question) => {
          asked.push(question);
          return { points: [], hasMore: false };
        },
      }),
      deletion: standIn<PointDeletion>({
        delete: async (...question) => {
          asked.push(question);
          return { repository: 'main', deletedAt: later };
        },
      }),
      gatewayLoads: () => loads,
      sessions: standIn<ProviderSessions>({
        requireOwn: async (who, sessionId) => {
          if (who !== tenantId || sessionId !== own) throw new FarkeepError('call.not-found');
        },
        show: async (sessionId) => {
          shown.push(sessionId);
          const context = { tenantName: 'contoso', storedBytes: 7 };
          return { detail: sampleDetail(sessionId), samples: [], context } as unknown as Awaited<
            ReturnType<ProviderSessions['show']>
          >;
        },
      }),
      store: certificates.store,
      providerName: 'Northwind',
    });
  });

  const addGateway = async (name: string, { isLinked = true, load = 0 } = {}): Promise<string> => {
    const { id } = await gateways.create(name, address, name, later);
    await gateways.setCertificate(id, name);
    if (isLinked) gateways.noteConnected(id, '192.0.2.1');
    loads.set(id, load);
    return id;
  };
  const offered = async (): Promise<string[]> =>
    (await requests['gateways.list'](tenantId, {})).gateways.map(({ name }) => name);

  it('gets the gateways with a link first, of these the least used first', async () => {
    await addGateway('away', { isLinked: false });
    await addGateway('busy', { load: 5 });
    await addGateway('idle', { load: 1 });
    expect(await offered()).toEqual(['idle', 'busy', 'away']);
    const answer = await requests['gateways.list'](tenantId, {});
    expect(tenantRequests['gateways.list'].output.parse(answer).gateways[1]).toMatchObject({
      name: 'busy',
      addresses: address,
      connections: 5,
      isConnected: true,
    });
  });

  it('is told the load that the provider counted, whatever a gateway reports', async () => {
    const id = await addGateway('liar', { load: 3 });
    gateways.noteReport(id, {
      controlConnections: 0,
      dataConnections: 0,
      bytesFromClients: 0,
      bytesToClients: 0,
      refusals: {},
      load: 0,
    } as unknown as Parameters<Gateways['noteReport']>[1]);
    expect((await requests['gateways.list'](tenantId, {})).gateways).toMatchObject([{ connections: 3 }]);
    loads.clear();
    expect((await requests['gateways.list'](tenantId, {})).gateways).toMatchObject([{ connections: 0 }]);
  });

  it('gets no gateway that is disabled or not enrolled', async () => {
    await gateways.setEnabled(await addGateway('disabled'), false);
    await gateways.create('waiting', address, 'waiting', later);
    await addGateway('good');
    expect(await offered()).toEqual(['good']);
  });

  it('gets as many gateways as a message can hold, without those that are least useful', async () => {
    for (let each = 0; each < maxGateways; each += 1) await addGateway(`gw${each}`);
    await addGateway('a-without-link', { isLinked: false });
    const names = await offered();
    expect(names).toHaveLength(maxGateways);
    expect(names).not.toContain('a-without-link');
  });

  it('sees the repositories of its own account only', async () => {
    const quotas = [{ repository: 'main', limitBytes: 1000 }];
    const contoso = await accounts.add({ name: 'contoso', password: 'a good password', quotas, leaseUntil: null });
    await accounts.setUsage(contoso, 'e'.repeat(32), 400);
    const other = await accounts.add({ name: 'fabrikam', password: 'a good password', quotas: [], leaseUntil: null });
    expect(await requests['repositories.list'](contoso, {})).toEqual({
      repositories: [{ name: 'main', limitBytes: 1000, usedBytes: 400 }],
    });
    expect(await requests['repositories.list'](other, {})).toEqual({ repositories: [] });
  });

  it('reads and deletes restore points under its own identifier', async () => {
    const page = { after: null, limit: 10 };
    expect(await requests['points.list'](tenantId, page)).toEqual({ points: [], hasMore: false });
    expect(await requests['points.delete'](tenantId, { pointId: own })).toMatchObject({ repository: 'main' });
    expect(asked).toEqual([
      [tenantId, page],
      [tenantId, own],
    ]);
  });

  it('gets evidence of its own session, and nothing about another one', async () => {
    const evidence = await requests['session.evidence'](tenantId, { sessionId: own });
    expect(tenantRequests['session.evidence'].output.parse(evidence)).toMatchObject({ algorithm: 'ECDSA-SHA256' });
    expect(JSON.parse(evidence.statement)).toMatchObject({ sessionId: own, provider: 'Northwind', storedBytes: 7 });
    shown.length = 0;
    const refusals = [
      requests['session.evidence'](tenantId, { sessionId: foreign }),
      requests['session.evidence'](foreign, { sessionId: own }),
    ];
    for (const refused of refusals) await expect(refused).rejects.toMatchObject({ code: 'call.not-found' });
    expect(shown).toEqual([]);
  });
});
