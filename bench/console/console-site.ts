// Owns a real console with all three roles on this computer, and a job for each backup. Calls services over their own sockets, because
// calls through the console's main process would change its measured cost.
import path from 'node:path';
import { FarkeepConsole } from '../../e2e/fixtures/farkeep-console.ts';
import { createInstanceHome, type InstanceHome } from '../../e2e/fixtures/instance-home.ts';
import { ConsoleWindow } from '../../e2e/pages/console-window.ts';
import { serviceRoles } from '../../services/contracts/contract.ts';
import { finalSessionStates, type SessionSummary } from '../../services/contracts/models/session.ts';
import { certificateDomain } from '../../services/contracts/rpc/certificate.ts';
import { jobsDomain } from '../../services/contracts/rpc/jobs.ts';
import { repositoriesDomain } from '../../services/contracts/rpc/repositories.ts';
import { serviceProvidersDomain } from '../../services/contracts/rpc/service-providers.ts';
import { sessionsDomain } from '../../services/contracts/rpc/sessions.ts';
import { tenantsDomain } from '../../services/contracts/rpc/tenants.ts';
import { connectAdmin, type AdminClient } from '../../services/host/carriers/admin-client.ts';
import { enroll } from '../../services/demo/demo-site.ts';

const quotaBytes = 2 ** 40;
const account = { name: 'contoso', password: 'correct horse battery' };

export interface RunningBackup {
  readonly sessionId: string;
  /**
   * Resolves with the next throughput sample, when data flows and the console has shown the sample. Rejects when the session ends before.
   */
  untilNextSample(): Promise<void>;
  /** @throws Error when the session did not succeed */
  readonly ended: Promise<SessionSummary>;
}

export class ConsoleSite {
  readonly farkeep: FarkeepConsole;
  readonly window: ConsoleWindow;
  readonly #home: InstanceHome;
  readonly #clients: readonly AdminClient[];
  readonly #tenant: AdminClient;
  readonly #jobs: ReadonlyMap<string, string>;

  private constructor(parts: {
    farkeep: FarkeepConsole;
    home: InstanceHome;
    clients: readonly AdminClient[];
    tenant: AdminClient;
    jobs: ReadonlyMap<string, string>;
  }) {
    this.farkeep = parts.farkeep;
    this.window = new ConsoleWindow(parts.farkeep.page);
    this.#home = parts.home;
    this.#clients = parts.clients;
    this.#tenant = parts.tenant;
    this.#jobs = parts.jobs;
  }

  /** @param jobNames jobs that back up the same folder, each into its own repository, so that each sends all data */
  static async start(source: string, jobNames: readonly string[]): Promise<ConsoleSite> {
    const home = await createInstanceHome();
    const clients: AdminClient[] = [];
    let farkeep: FarkeepConsole | undefined;
    try {
      farkeep = await FarkeepConsole.start(home);
      const window = new ConsoleWindow(farkeep.page);
      await farkeep.call('console', 'console', 'setRoles', { roles: [...serviceRoles] });
      for (const name of ['Provider service', 'Gateway service', 'Tenant service'] as const) {
        // A gateway that is not enrolled yet may show that it is degraded.
        await window.expectService(name, '(running|degraded)');
      }
      const connect = async (role: (typeof serviceRoles)[number]): Promise<AdminClient> => {
        const client = await connectAdmin({ home: home.folder, role });
        clients.push(client);
        return client;
      };
      const [provider, gateway, tenant] = [
        await connect('provider'),
        await connect('gateway'),
        await connect('tenant'),
      ];
      for (const name of jobNames) {
        await provider.domain(repositoriesDomain).add({ name, folder: path.join(home.folder, 'repositories', name) });
      }
      await provider.domain(tenantsDomain).add({
        ...account,
        quotas: jobNames.map((repository) => ({ repository, limitBytes: quotaBytes })),
      });
      const address = { host: '127.0.0.1', port: home.gatewayPort };
      await enroll(provider, gateway, 'gw1', `${address.host}:${address.port}`, new AbortController().signal);
      const { summary } = await provider.domain(certificateDomain).show({ slot: 'provider' });
      const { id: providerId } = await tenant.domain(serviceProvidersDomain).add({
        name: 'Northwind',
        ...address,
        userName: account.name,
        password: account.password,
        fingerprint: summary.sha256,
      });
      const jobs = new Map<string, string>();
      for (const name of jobNames) {
        const job = await tenant.domain(jobsDomain).add({ name, sourcePaths: [source], providerId, repository: name });
        jobs.set(name, job.id);
      }
      return new ConsoleSite({ farkeep, home, clients, tenant, jobs });
    } catch (error) {
      for (const client of clients) client.close();
      await farkeep?.close();
      await home.remove();
      throw error;
    }
  }

  async runJob(name: string): Promise<RunningBackup> {
    const ended = Promise.withResolvers<SessionSummary>();
    ended.promise.catch(() => undefined); // a caller that waits for this promise gets the error
    let onSample = (): void => undefined;
    let sessionId = '';
    this.#tenant.subscribe(({ domain, event, payload }) => {
      if (domain !== sessionsDomain.name) return;
      if (event === 'sampled') {
        const sampled = sessionsDomain.events.sampled.payload.parse(payload);
        if (sampled.sessionId === sessionId) onSample();
      } else if (event === 'changed') {
        const session = sessionsDomain.events.changed.payload.parse(payload);
        if (session.id !== sessionId || !finalSessionStates.includes(session.state)) return;
        if (session.state === 'succeeded') ended.resolve(session);
        else ended.reject(new Error(`The session ended as ${session.state}: ${session.error?.message ?? ''}`));
      }
    });
    ({ sessionId } = await this.#tenant.domain(jobsDomain).run({ jobId: this.#jobs.get(name) ?? '' }));
    return {
      sessionId,
      ended: ended.promise,
      untilNextSample: () =>
        new Promise((resolve, reject) => {
          onSample = resolve;
          void ended.promise.then(() => reject(new Error('The backup was over before it could be watched')), reject);
        }),
    };
  }

  /** Opens the live view of a session at the tenant. */
  async openSession(name: string): Promise<void> {
    await this.window.open('Sessions', 'Tenant');
    await this.window.row('Sessions', name).dblclick();
    await this.farkeep.page.getByRole('main').getByRole('heading', { name, level: 1 }).waitFor();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.farkeep.close();
    await this.#home.remove();
  }
}
