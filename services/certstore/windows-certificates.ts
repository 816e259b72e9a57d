// Owns the Windows certificate store "Local Computer\Personal" for the page Pick Certificate: lists its certificates, and exports one with
// its key. Must not start programs itself. Must not put data into a script or an argument: PowerShell gets data on standard input, which no other
// process can read.
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { z } from 'zod';
import type { PickableCertificate } from '../contracts/models/certificate.ts';
import { abortError, type Clock, systemClock } from '../kernel/clock.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { type ReadCertificate, readCertificate, summarize } from '../pki/certificate/certificate-summary.ts';
import {
  importCertificate,
  type ImportedCertificate,
  type ImportOptions,
  maxImportBytes,
} from '../pki/import/import.ts';
import { checkUsable, isClearlyAuthority } from '../pki/import/import-selection.ts';
import { shownOf } from '../pki/import/pick.ts';
import type { CommandOptions, CommandRunner } from './command-runner.ts';
import { exportScript, listScript } from './windows-certificate-scripts.ts';
import { windowsProgram } from './windows-programs.ts';

/** Prefix before the SHA-1 thumbprint by which Windows finds a certificate. */
export const windowsStorePrefix = 'windows:';
export const windowsStoreName = 'Local Computer\\Personal';

const timeoutMs = 20_000;
const maxListBytes = 8 * 1024 * 1024;
/** Base64 needs four bytes for three; the extra KiB is for the JSON around it. */
const maxExportBytes = Math.ceil((maxImportBytes * 4) / 3) + 1024;
const passwordBytes = 32;

const keyStateSchema = z.object({
  state: z.enum(['none', 'exportable', 'locked', 'unreadable']),
  /** HRESULT in hex, because Windows translates its messages. */
  code: z
    .string()
    .regex(/^[0-9A-F]{8}$/)
    .nullable(),
});
type KeyState = z.infer<typeof keyStateSchema>;

const listSchema = z.object({
  certificates: z.array(z.object({ der: z.base64(), name: z.base64(), key: keyStateSchema })),
});
const exportSchema = z.object({ pfx: z.base64().nullable(), name: z.base64(), key: keyStateSchema.nullable() });

export class WindowsCertificates {
  readonly #run: CommandRunner;
  readonly #program: string;

  /** @param systemRoot `%SystemRoot%` */
  constructor(run: CommandRunner, systemRoot: string | undefined = process.env['SystemRoot']) {
    this.#run = run;
    this.#program = windowsProgram('powershell.exe', systemRoot);
  }

  /**
   * Lists usable certificates first, then unusable certificates with a reason. Authorities are left out.
   * @throws FarkeepError 'certificate.key-unreadable'
   */
  async list(clock: Clock = systemClock): Promise<PickableCertificate[]> {
    const answer = await this.#ask(listSchema, listScript, { maxOutputBytes: maxListBytes });
    const rows: PickableCertificate[] = [];
    for (const { der, name, key } of answer.certificates) {
      const leaf = readOrSkip(Buffer.from(der, 'base64'));
      if (leaf === undefined || isClearlyAuthority(leaf)) continue;
      const summary = summarize(leaf);
      rows.push({
        pickId: `${windowsStorePrefix}${thumbprint(leaf)}`,
        store: windowsStoreName,
        issuedTo: summary.commonName,
        issuedBy: leaf.structure.issuerName ?? summary.issuer,
        friendlyName: decodeName(name) || summary.commonName,
        notAfter: summary.notAfter,
        ...shownOf(summary),
        unusableReason: (refusal(key) ?? unusable(leaf, clock))?.message ?? null,
      });
    }
    return rows.sort(
      (a, b) =>
        Number(a.unusableReason !== null) - Number(b.unusableReason !== null) || a.issuedTo.localeCompare(b.issuedTo),
    );
  }

  /**
   * Reads a listed certificate with its key, as a PFX with a random password. @throws FarkeepError 'call.not-found' | 'certificate.*';
   * AbortError
   */
  async pick(pickId: string, options: ImportOptions = {}): Promise<ImportedCertificate> {
    const wanted = pickId.slice(windowsStorePrefix.length);
    if (!pickId.startsWith(windowsStorePrefix) || !/^[0-9A-F]{40}$/.test(wanted)) throw missingCertificate();
    const password = randomBytes(passwordBytes).toString('base64url');
    const answer = await this.#ask(exportSchema, exportScript, {
      input: `${wanted}\n${password}\n`,
      maxOutputBytes: maxExportBytes,
      signal: options.signal,
    });
    if (answer.key === null) throw missingCertificate();
    const refused = refusal(answer.key);
    if (refused !== null) throw refused;
    if (answer.pfx === null) throw unexpected();
    const file = Buffer.from(answer.pfx, 'base64');
    const imported = await importCertificate({ file, password }, options);
    if (imported.summary.sha1.replaceAll(':', '').toUpperCase() !== wanted) {
      imported[Symbol.dispose]();
      throw unexpected();
    }
    // The name in the PFX can be the name of the key's container, so the name in the PFX is not used.
    return { ...imported, friendlyName: decodeName(answer.name) || undefined };
  }

  async #ask<T>(schema: z.ZodType<T>, script: string, options: CommandOptions): Promise<T> {
    let printed: string;
    try {
      const args = ['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', script];
      printed = await this.#run(this.#program, args, { timeoutMs, ...options });
    } catch (error) {
      if (options.signal?.aborted === true) throw abortError();
      const why = error instanceof Error ? error.message : String(error);
      throw new FarkeepError('certificate.key-unreadable', `${windowsStoreName} cannot be read: ${why.slice(0, 500)}`, {
        hint: 'Import the certificate from its file instead.',
        cause: error,
      });
    }
    const parsed = schema.safeParse(parseJson(printed));
    if (!parsed.success) throw unexpected();
    return parsed.data;
  }
}

function refusal({ state, code }: KeyState): FarkeepError | null {
  switch (state) {
    case 'exportable':
      return null;
    case 'none':
      return new FarkeepError('certificate.no-private-key', 'Windows has no private key for this certificate');
    case 'locked':
      return new FarkeepError(
        'certificate.key-unreadable',
        'The private key cannot be exported from the Windows store; import the certificate from its file instead',
      );
    case 'unreadable':
      return new FarkeepError(
        'certificate.key-unreadable',
        `The account "${os.userInfo().username}" cannot read the private key of this certificate in the Windows store${code === null ? '' : ` (0x${code})`}`,
      );
  }
}

function unusable(leaf: ReadCertificate, clock: Clock): FarkeepError | null {
  try {
    checkUsable(leaf, [], clock.now());
    return null;
  } catch (error) {
    if (error instanceof FarkeepError) return error;
    throw error;
  }
}

function readOrSkip(der: Buffer): ReadCertificate | undefined {
  try {
    return readCertificate(der);
  } catch {
    // A certificate that this program cannot read must not hide the other certificates.
    return undefined;
  }
}

function thumbprint({ x509 }: ReadCertificate): string {
  return x509.fingerprint.replaceAll(':', '').toUpperCase();
}

function decodeName(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8').trim();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text that is not JSON does not match the schema below.
    return undefined;
  }
}

function missingCertificate(): FarkeepError {
  return new FarkeepError('call.not-found', 'This certificate is no longer there');
}

function unexpected(): FarkeepError {
  return new FarkeepError('certificate.key-unreadable', `${windowsStoreName} cannot be read: unexpected answer`, {
    hint: 'Import the certificate from its file instead.',
  });
}
