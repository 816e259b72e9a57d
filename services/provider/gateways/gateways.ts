// Owns the provider's gateways: names, addresses, one-time enrollment tokens, reports of their links. Must not open a connection.
import type { Gateway } from '../../contracts/models/provider.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import type { GatewayReport } from '../../wire/gateway-link-messages.ts';
import type { GatewayRow, GatewayStore, StoredGateway } from '../state/gateway-store.ts';

/**
 * All rows are in memory, because each connection asks for them. Only this process writes them: a change goes to the store first, and then
 * to memory.
 */
export class Gateways {
  readonly #store: GatewayStore;
  readonly #clock: Clock;
  #rows: readonly StoredGateway[];
  readonly #reports = new Map<string, GatewayReport>();
  readonly #connected = new Set<string>();
  /** Bytes from earlier runs of a gateway process: its counters start at zero in each run. */
  readonly #relayedBefore = new Map<string, number>();

  private constructor(store: GatewayStore, clock: Clock, rows: readonly StoredGateway[]) {
    this.#store = store;
    this.#clock = clock;
    this.#rows = rows;
  }

  static async open(store: GatewayStore, clock: Clock): Promise<Gateways> {
    return new Gateways(store, clock, await store.list());
  }

  /** Sorted by name. */
  rows(): readonly GatewayRow[] {
    return this.#rows;
  }

  get(gatewayId: string): GatewayRow {
    const row = this.find(gatewayId);
    if (row === undefined) throw new FarkeepError('call.not-found', 'There is no such gateway');
    return row;
  }

  find(gatewayId: string): GatewayRow | undefined {
    return this.#rows.find(({ id }) => id === gatewayId);
  }

  isConnected(gatewayId: string): boolean {
    return this.#connected.has(gatewayId);
  }

  connections(gatewayId: string): number {
    const report = this.#reports.get(gatewayId);
    return report === undefined ? 0 : report.controlConnections + report.dataConnections;
  }

  describe(row: GatewayRow, isCovered: (host: string) => boolean): Gateway {
    const report = this.#reports.get(row.id);
    const refusals = Object.values(report?.refusals ?? {}).reduce((sum, count) => sum + count, 0);
    return {
      id: row.id,
      name: row.name,
      addresses: row.addresses,
      isEnabled: row.isEnabled,
      state: this.#state(row),
      enrolledAt: row.enrolledAt,
      lastSeenAt: row.lastSeenAt,
      connections: this.connections(row.id),
      relayedBytes: add(this.#relayedBefore.get(row.id) ?? 0, relayed(report)),
      refusedConnections: refusals,
      isCoveredByCertificate: row.addresses.some(({ host }) => isCovered(host)),
    };
  }

  /** Creates a gateway, or a new token for a gateway of this name that has not enrolled yet. */
  async create(
    name: string,
    addresses: GatewayRow['addresses'],
    tokenHash: string,
    expiresAt: string,
  ): Promise<GatewayRow> {
    const existing = this.#named(name);
    if (existing !== undefined && existing.enrolledAt !== null) {
      throw new FarkeepError('call.conflict', `A gateway named "${name}" is enrolled already`, {
        field: 'name',
        hint: 'Choose another name, or make a new token for that gateway.',
      });
    }
    const id = existing?.id ?? newId();
    await this.#store.put({ id, name, addresses, createdAt: this.#now(), tokenHash, tokenExpiresAt: expiresAt });
    if (existing === undefined) this.#rows = [...this.#rows, { ...notEnrolled, id, name, addresses }].sort(byName);
    else this.#change(id, { addresses });
    return this.get(id);
  }

  /** Gives a gateway a new token. Its enrollment stays valid until the token is used. */
  async renewToken(gatewayId: string, tokenHash: string, expiresAt: string): Promise<GatewayRow> {
    this.get(gatewayId);
    await this.#store.setToken(gatewayId, tokenHash, expiresAt);
    return this.get(gatewayId);
  }

  /** Changes name and addresses. @throws call.conflict for the name of another gateway */
  async set(
    gatewayId: string,
    { name, addresses }: { name?: string | undefined; addresses?: GatewayRow['addresses'] | undefined },
  ): Promise<void> {
    const row = this.get(gatewayId);
    const other = name === undefined ? undefined : this.#named(name);
    if (other !== undefined && other.id !== gatewayId) {
      throw new FarkeepError('call.conflict', `There is another gateway named "${other.name}"`, {
        field: 'name',
        hint: 'Choose another name.',
      });
    }
    const next = { name: name ?? row.name, addresses: addresses ?? row.addresses };
    await this.#store.set(gatewayId, next.name, next.addresses);
    this.#change(gatewayId, next);
    this.#rows = [...this.#rows].sort(byName);
  }

  /** Uses up the token. @throws gateway.token-invalid for an unknown, used or expired token */
  async redeemToken(tokenHash: string): Promise<GatewayRow> {
    const gatewayId = await this.#store.redeemToken(tokenHash, this.#now());
    const row = gatewayId === undefined ? undefined : this.find(gatewayId);
    if (row === undefined) throw new FarkeepError('gateway.token-invalid');
    return row;
  }

  /** Replaces the gateway's certificate by this one. */
  async setCertificate(gatewayId: string, certificateSha256: string): Promise<void> {
    const enrolledAt = this.#now();
    await this.#store.setCertificate(gatewayId, certificateSha256, enrolledAt);
    this.#change(gatewayId, { certificateSha256, renewedSha256: null, enrolledAt });
  }

  /**
   * Stores the gateway's next certificate. The current one stays valid until the next one is used. Replaces a next certificate that was
   * never used.
   */
  async addRenewedCertificate(gatewayId: string, certificateSha256: string): Promise<void> {
    this.get(gatewayId);
    await this.#store.setRenewedCertificate(gatewayId, certificateSha256);
    this.#change(gatewayId, { renewedSha256: certificateSha256 });
  }

  /**
   * Finds a gateway by the SHA-256 of its client certificate, lower-case hex. Refuses a disabled gateway. At the first use of a renewed
   * certificate, the gateway has stored it, so the old certificate becomes invalid.
   */
  identify(certificateSha256: string): GatewayRow | undefined {
    const enabled = this.#rows.filter(({ isEnabled }) => isEnabled);
    const renewed = enabled.find(({ renewedSha256 }) => renewedSha256 === certificateSha256);
    if (renewed === undefined) return enabled.find((row) => row.certificateSha256 === certificateSha256);
    this.#change(renewed.id, { certificateSha256, renewedSha256: null });
    // If this write is lost, the gateway uses its renewed certificate again after a restart, and the write is repeated.
    void this.#store.notePromoted(renewed.id, certificateSha256);
    return this.find(renewed.id);
  }

  async setEnabled(gatewayId: string, isEnabled: boolean): Promise<void> {
    this.get(gatewayId);
    await this.#store.setEnabled(gatewayId, isEnabled);
    this.#change(gatewayId, { isEnabled });
  }

  async remove(gatewayId: string): Promise<void> {
    if (!(await this.#store.remove(gatewayId))) throw new FarkeepError('call.not-found', 'There is no such gateway');
    this.#rows = this.#rows.filter(({ id }) => id !== gatewayId);
    this.#reports.delete(gatewayId);
    this.#relayedBefore.delete(gatewayId);
    this.#connected.delete(gatewayId);
  }

  /** @param addressKey `countingKey` of the link's remote address */
  noteConnected(gatewayId: string, addressKey: string): void {
    this.#connected.add(gatewayId);
    this.#change(gatewayId, { linkAddress: addressKey });
    this.#touch(gatewayId, addressKey);
  }

  /** Whether the last link of an enrolled gateway came from this address. The address is stored, so that it survives a restart. */
  isKnownAddress(addressKey: string): boolean {
    return this.#rows.some(({ isEnabled, linkAddress }) => isEnabled && linkAddress === addressKey);
  }

  /** `countingKey` of the remote address of the gateway's last link; null: it never had one. */
  linkAddress(gatewayId: string): string | null {
    return this.#rows.find(({ id }) => id === gatewayId)?.linkAddress ?? null;
  }

  noteDisconnected(gatewayId: string): void {
    this.#connected.delete(gatewayId);
    this.#touch(gatewayId);
    const last = this.#reports.get(gatewayId);
    if (last !== undefined) this.#reports.set(gatewayId, { ...last, controlConnections: 0, dataConnections: 0 });
  }

  noteReport(gatewayId: string, report: GatewayReport): void {
    const last = this.#reports.get(gatewayId);
    if (relayed(report) < relayed(last)) {
      this.#relayedBefore.set(gatewayId, add(this.#relayedBefore.get(gatewayId) ?? 0, relayed(last)));
    }
    this.#reports.set(gatewayId, report);
  }

  #named(name: string): StoredGateway | undefined {
    return this.#rows.find((row) => row.name.toLowerCase() === name.toLowerCase());
  }

  #touch(gatewayId: string, addressKey?: string): void {
    const lastSeenAt = this.#now();
    this.#change(gatewayId, { lastSeenAt });
    void this.#store.noteSeen(gatewayId, lastSeenAt, addressKey);
  }

  #change(gatewayId: string, changes: Partial<StoredGateway>): void {
    this.#rows = this.#rows.map((row) => (row.id === gatewayId ? { ...row, ...changes } : row));
  }

  #state(row: GatewayRow): Gateway['state'] {
    if (row.enrolledAt === null) return 'waiting-for-enrollment';
    if (!row.isEnabled) return 'disabled';
    return this.#connected.has(row.id) ? 'connected' : 'disconnected';
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

const notEnrolled = {
  isEnabled: true,
  enrolledAt: null,
  lastSeenAt: null,
  certificateSha256: null,
  renewedSha256: null,
  linkAddress: null,
};

function byName(left: GatewayRow, right: GatewayRow): number {
  return left.name.toLowerCase() < right.name.toLowerCase() ? -1 : 1;
}

/** A hostile gateway could reset its counters repeatedly. The sum must not exceed the largest safe number. */
function add(left: number, right: number): number {
  return Math.min(left + right, Number.MAX_SAFE_INTEGER);
}

function relayed(report: GatewayReport | undefined): number {
  return report === undefined ? 0 : report.bytesFromClients + report.bytesToClients;
}
