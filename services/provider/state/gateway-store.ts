// Owns the rows of the provider's gateways. Must not know links or rules about gateways.
import { z } from 'zod';
import { hostSchema, portSchema } from '../../contracts/models/values.ts';
import { rowList } from '../../contracts/row-list.ts';
import type { Database, Row } from '../../kernel/state/database.ts';

const addressesSchema = rowList(z.object({ host: hostSchema, port: portSchema }), 16);

export interface GatewayRow {
  readonly id: string;
  readonly name: string;
  readonly addresses: { host: string; port: number }[];
  readonly isEnabled: boolean;
  readonly enrolledAt: string | null;
  readonly lastSeenAt: string | null;
}

export interface StoredGateway extends GatewayRow {
  /** SHA-256 of its client certificate, lower-case hex. */
  readonly certificateSha256: string | null;
  /** SHA-256 of a renewed certificate that the gateway has not used yet. */
  readonly renewedSha256: string | null;
  /** `countingKey` of the remote address of its last link. */
  readonly linkAddress: string | null;
}

export interface NewGateway {
  readonly id: string;
  readonly name: string;
  readonly addresses: GatewayRow['addresses'];
  readonly createdAt: string;
  readonly tokenHash: string;
  readonly tokenExpiresAt: string;
}

export interface GatewayStore {
  /** Sorted by name. */
  list(): Promise<StoredGateway[]>;
  /**
   * Adds a gateway, or gives an existing one (same identifier) the new addresses and the new token. @throws call.conflict for a taken name
   */
  put(gateway: NewGateway): Promise<void>;
  /** Gives an existing gateway a new token. */
  setToken(gatewayId: string, tokenHash: string, tokenExpiresAt: string): Promise<void>;
  /** @throws call.conflict for a taken name */
  set(gatewayId: string, name: string, addresses: GatewayRow['addresses']): Promise<void>;
  /** Removes the token if it is valid at `now`. @returns the identifier of its gateway */
  redeemToken(tokenHash: string, now: string): Promise<string | undefined>;
  setCertificate(gatewayId: string, sha256: string, enrolledAt: string): Promise<void>;
  setRenewedCertificate(gatewayId: string, sha256: string): Promise<void>;
  /** The renewed certificate becomes the only one. A write that the disk refuses is lost. */
  notePromoted(gatewayId: string, renewedSha256: string): Promise<void>;
  setEnabled(gatewayId: string, isEnabled: boolean): Promise<void>;
  /** @returns false when there is no such gateway */
  remove(gatewayId: string): Promise<boolean>;
  /** A write that the disk refuses is lost. */
  noteSeen(gatewayId: string, at: string, linkAddress?: string): Promise<void>;
}

export class SqliteGatewayStore implements GatewayStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(): Promise<StoredGateway[]> {
    return this.#database.all('SELECT * FROM gateways ORDER BY name').map(read);
  }

  async put({ id, name, addresses, createdAt, tokenHash, tokenExpiresAt }: NewGateway): Promise<void> {
    this.#database.run(
      `INSERT INTO gateways (id, name, addresses, is_enabled, created_at, token_hash, token_expires_at)
       VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET addresses = excluded.addresses,
         token_hash = excluded.token_hash, token_expires_at = excluded.token_expires_at`,
      id,
      name,
      JSON.stringify(addresses),
      createdAt,
      tokenHash,
      tokenExpiresAt,
    );
  }

  async setToken(gatewayId: string, tokenHash: string, tokenExpiresAt: string): Promise<void> {
    this.#database.run(
      'UPDATE gateways SET token_hash = ?, token_expires_at = ? WHERE id = ?',
      tokenHash,
      tokenExpiresAt,
      gatewayId,
    );
  }

  async set(gatewayId: string, name: string, addresses: GatewayRow['addresses']): Promise<void> {
    this.#database.run(
      'UPDATE gateways SET name = ?, addresses = ? WHERE id = ?',
      name,
      JSON.stringify(addresses),
      gatewayId,
    );
  }

  async redeemToken(tokenHash: string, now: string): Promise<string | undefined> {
    const row = this.#database.get(
      `UPDATE gateways SET token_hash = NULL, token_expires_at = NULL WHERE token_hash = ? AND token_expires_at > ?
       RETURNING id`,
      tokenHash,
      now,
    );
    return row === undefined ? undefined : String(row['id']);
  }

  async setCertificate(gatewayId: string, sha256: string, enrolledAt: string): Promise<void> {
    this.#database.run(
      'UPDATE gateways SET certificate_sha256 = ?, renewed_sha256 = NULL, enrolled_at = ? WHERE id = ?',
      sha256,
      enrolledAt,
      gatewayId,
    );
  }

  async setRenewedCertificate(gatewayId: string, sha256: string): Promise<void> {
    this.#database.run('UPDATE gateways SET renewed_sha256 = ? WHERE id = ?', sha256, gatewayId);
  }

  async notePromoted(gatewayId: string, renewedSha256: string): Promise<void> {
    this.#database.note(
      `UPDATE gateways SET certificate_sha256 = renewed_sha256, renewed_sha256 = NULL
       WHERE id = ? AND renewed_sha256 = ?`,
      gatewayId,
      renewedSha256,
    );
  }

  async setEnabled(gatewayId: string, isEnabled: boolean): Promise<void> {
    this.#database.run('UPDATE gateways SET is_enabled = ? WHERE id = ?', isEnabled ? 1 : 0, gatewayId);
  }

  async remove(gatewayId: string): Promise<boolean> {
    return this.#database.run('DELETE FROM gateways WHERE id = ?', gatewayId).changes > 0;
  }

  async noteSeen(gatewayId: string, at: string, linkAddress?: string): Promise<void> {
    this.#database.note(
      'UPDATE gateways SET last_seen_at = ?, link_address = coalesce(?, link_address) WHERE id = ?',
      at,
      linkAddress ?? null,
      gatewayId,
    );
  }
}

function read(row: Row): StoredGateway {
  return {
    id: String(row['id']),
    name: String(row['name']),
    addresses: readAddresses(String(row['addresses'])),
    isEnabled: row['is_enabled'] === 1,
    enrolledAt: textOf(row['enrolled_at']),
    lastSeenAt: textOf(row['last_seen_at']),
    certificateSha256: textOf(row['certificate_sha256']),
    renewedSha256: textOf(row['renewed_sha256']),
    linkAddress: textOf(row['link_address']),
  };
}

function textOf(value: Row[string] | undefined): string | null {
  return value == null ? null : String(value);
}

/** Damaged addresses are read as an empty list: the gateway can still be disabled, removed and enrolled again. */
function readAddresses(text: string): GatewayRow['addresses'] {
  try {
    return addressesSchema.safeParse(JSON.parse(text)).data ?? [];
  } catch {
    return [];
  }
}
