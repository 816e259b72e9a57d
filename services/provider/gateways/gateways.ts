// Owns the provider's gateways: their names and addresses, one-time enrollment tokens, what their links report. Opens no connection.
import { z } from 'zod';
import type { Gateway } from '../../contracts/models/provider.ts';
import { hostSchema, portSchema } from '../../contracts/models/values.ts';
import { readRows, rowList } from '../../contracts/row-list.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Database, Row } from '../../kernel/state/database.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { newId } from '../../kernel/identifier.ts';
import type { GatewayReport } from '../../wire/gateway-link-messages.ts';

const addressesSchema = rowList(z.object({ host: hostSchema, port: portSchema }), 16);

export interface GatewayRow {
  readonly id: string;
  readonly name: string;
  readonly addresses: { host: string; port: number }[];
  readonly isEnabled: boolean;
  readonly enrolledAt: string | null;
  readonly lastSeenAt: string | null;
}

export class Gateways {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #reports = new Map<string, GatewayReport>();
  readonly #connected = new Set<string>();
  /** Bytes of former runs of a gateway process: its counters start at zero with it. */
  readonly #relayedBefore = new Map<string, number>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  rows(): GatewayRow[] {
    return readRows(this.#database.all('SELECT * FROM gateways ORDER BY name'), readRow);
  }

  get(gatewayId: string): GatewayRow {
    const row = this.find(gatewayId);
    if (row === undefined) throw new FarkeepError('call.not-found', 'There is no such gateway');
    return row;
  }

  find(gatewayId: string): GatewayRow | undefined {
    const row = this.#database.get('SELECT * FROM gateways WHERE id = ?', gatewayId);
    return row === undefined ? undefined : readRow(row);
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

  /** A new gateway, or a new token for one of that name that has not enrolled yet. */
  create(name: string, addresses: GatewayRow['addresses'], tokenHash: string, expiresAt: string): GatewayRow {
    const existing = this.rows().find((row) => row.name.toLowerCase() === name.toLowerCase());
    if (existing !== undefined && existing.enrolledAt !== null) {
      throw new FarkeepError('call.conflict', `A gateway named "${name}" is enrolled already`, {
        field: 'name',
        hint: 'Choose another name, or remove that gateway first.',
      });
    }
    const id = existing?.id ?? newId();
    this.#database.run(
      `INSERT INTO gateways (id, name, addresses, is_enabled, created_at, token_hash, token_expires_at)
       VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET addresses = excluded.addresses,
         token_hash = excluded.token_hash, token_expires_at = excluded.token_expires_at`,
      id,
      name,
      JSON.stringify(addresses),
      this.#now(),
      tokenHash,
      expiresAt,
    );
    return this.get(id);
  }

  /** Uses up the token. @throws gateway.token-invalid for one that is unknown, used or too old */
  redeemToken(tokenHash: string): GatewayRow {
    const row = this.#database.get(
      `UPDATE gateways SET token_hash = NULL, token_expires_at = NULL WHERE token_hash = ? AND token_expires_at > ?
       RETURNING *`,
      tokenHash,
      this.#now(),
    );
    if (row === undefined) throw new FarkeepError('gateway.token-invalid');
    return readRow(row);
  }

  /** From now on this certificate is the gateway's. */
  setCertificate(gatewayId: string, certificateSha256: string): void {
    this.#database.run(
      'UPDATE gateways SET certificate_sha256 = ?, renewed_sha256 = NULL, enrolled_at = ? WHERE id = ?',
      certificateSha256,
      this.#now(),
      gatewayId,
    );
  }

  /** The gateway's next certificate; the one in use counts until this one is. Replaces one that was never used. */
  addRenewedCertificate(gatewayId: string, certificateSha256: string): void {
    this.get(gatewayId);
    this.#database.run('UPDATE gateways SET renewed_sha256 = ? WHERE id = ?', certificateSha256, gatewayId);
  }

  /**
   * By the SHA-256 of its client certificate, lower-case hex. A disabled gateway is not let in. A renewed certificate that is met for the
   * first time becomes the only one: the gateway has stored it.
   */
  identify(certificateSha256: string): GatewayRow | undefined {
    this.#database.run(
      'UPDATE gateways SET certificate_sha256 = renewed_sha256, renewed_sha256 = NULL WHERE renewed_sha256 = ? AND is_enabled = 1',
      certificateSha256,
    );
    const row = this.#database.get(
      'SELECT * FROM gateways WHERE certificate_sha256 = ? AND is_enabled = 1',
      certificateSha256,
    );
    return row === undefined ? undefined : readRow(row);
  }

  setEnabled(gatewayId: string, isEnabled: boolean): void {
    this.get(gatewayId);
    this.#database.run('UPDATE gateways SET is_enabled = ? WHERE id = ?', isEnabled ? 1 : 0, gatewayId);
  }

  remove(gatewayId: string): void {
    // Removal does not read the row, so a damaged row can be removed as well.
    const { changes } = this.#database.run('DELETE FROM gateways WHERE id = ?', gatewayId);
    if (changes === 0) throw new FarkeepError('call.not-found', 'There is no such gateway');
    this.#reports.delete(gatewayId);
    this.#relayedBefore.delete(gatewayId);
    this.#connected.delete(gatewayId);
  }

  /** @param addressKey `countingKey` of the link's remote address */
  noteConnected(gatewayId: string, addressKey: string): void {
    this.#connected.add(gatewayId);
    this.#database.note('UPDATE gateways SET link_address = ? WHERE id = ?', addressKey, gatewayId);
    this.#touch(gatewayId);
  }

  /** Whether the last link of an enrolled gateway came from this address. Survives a restart. */
  isKnownAddress(addressKey: string): boolean {
    const row = this.#database.get(
      'SELECT id FROM gateways WHERE link_address = ? AND is_enabled = 1 LIMIT 1',
      addressKey,
    );
    return row !== undefined;
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

  #touch(gatewayId: string): void {
    this.#database.note('UPDATE gateways SET last_seen_at = ? WHERE id = ?', this.#now(), gatewayId);
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

function readRow(row: Row): GatewayRow {
  return {
    id: String(row['id']),
    name: String(row['name']),
    addresses: readAddresses(String(row['addresses'])),
    isEnabled: row['is_enabled'] === 1,
    enrolledAt: row['enrolled_at'] === null ? null : String(row['enrolled_at']),
    lastSeenAt: row['last_seen_at'] === null ? null : String(row['last_seen_at']),
  };
}

/** Damaged addresses are read as an empty list: the gateway can still be disabled, removed and enrolled again. */
function readAddresses(text: string): GatewayRow['addresses'] {
  try {
    return addressesSchema.safeParse(JSON.parse(text)).data ?? [];
  } catch {
    return [];
  }
}

/** A gateway that resets its counters repeatedly must not push the sum beyond the largest safe number. */
function add(left: number, right: number): number {
  return Math.min(left + right, Number.MAX_SAFE_INTEGER);
}

function relayed(report: GatewayReport | undefined): number {
  return report === undefined ? 0 : report.bytesFromClients + report.bytesToClients;
}
