// Owns the admin's additions to the trust rules: authorities, revocation lists, and what to do when revocation cannot be checked.
// Must not decide about a certificate; it supplies roots and the revocation answer for the decision.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { trustSettingsSchema, type TrustSettings, type TrustSettingsProblem } from '../../contracts/models/trust.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isMissing, systemErrorCode } from '../../kernel/system-error.ts';
import { isSelfSigned, readCertificate } from '../../pki/certificate/certificate-summary.ts';
import { readCrls } from '../../pki/trust/crl.ts';
import { splitPemCertificates } from '../../pki/certificate/pem.ts';
import { RevocationChecker } from '../../pki/trust/revocation.ts';
import type { RevocationAnswer } from '../../pki/trust/trust.ts';

const maxFileBytes = 16 * 1024 * 1024;

const defaults: TrustSettings = {
  crlFiles: [],
  canFetchCrl: false,
  isRevocationRequired: false,
  rootFiles: [],
  canTrustFirstUse: false,
};

/** What a revocation check needs of a handshake. */
export interface PresentedChain {
  readonly leafDer: Uint8Array;
  readonly chainDer: readonly Uint8Array[];
  readonly othersDer?: readonly Uint8Array[];
  readonly isAuthorized: boolean;
}

/** The trust rules of a connection, apart from pins. */
export interface TrustRules {
  /** Authorities in addition to those of the system, one PEM certificate each. */
  roots(): Promise<readonly string[]>;
  /** Undefined when no revocation list is available. */
  revocation(presented: PresentedChain, signal: AbortSignal): Promise<RevocationAnswer | undefined>;
}

export interface TrustSettingsOptions {
  readonly home: string;
  /** PEM files of the service's configuration, besides those of the settings. */
  readonly configuredRootFiles: readonly string[];
  /** Time limit for all lists of one chain together. The provider waits 10 s for the login, so this limit is much shorter. */
  readonly fetchTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ReadFile {
  /** Changes with every replacement of the file. */
  readonly version: string;
  readonly bytes: Buffer;
}

export class TrustSettingsStore implements TrustRules {
  readonly #options: TrustSettingsOptions;
  #settings: TrustSettings;
  /** The last valid content. An unreadable list stays in use with its last content, and is shown as a problem. */
  readonly #contents = new Map<string, ReadFile>();
  readonly #problems = new Map<string, string>();
  #checker: { readonly versions: string; readonly checker: RevocationChecker } | undefined;

  private constructor(options: TrustSettingsOptions, settings: TrustSettings) {
    this.#options = options;
    this.#settings = settings;
  }

  /** @throws config.invalid for an authority file of the configuration, storage.damaged */
  static async open(options: TrustSettingsOptions): Promise<TrustSettingsStore> {
    for (const file of options.configuredRootFiles) {
      try {
        splitRoots(file, (await readBounded(file)).bytes);
      } catch (error) {
        throw new FarkeepError('config.invalid', toFarkeepError(error).message, { field: 'extraRoots', cause: error });
      }
    }
    const store = new TrustSettingsStore(options, await load(options.home));
    for (const { file, message } of await store.problems()) {
      options.logger.warn('A file of the trust settings cannot be used', { file, message });
    }
    return store;
  }

  get current(): TrustSettings {
    return this.#settings;
  }

  /** Checks every file again. */
  async problems(): Promise<TrustSettingsProblem[]> {
    await Promise.all([this.roots(), this.#lists()]);
    const files = new Set([...this.#settings.rootFiles, ...this.#settings.crlFiles]);
    return [...this.#problems].filter(([file]) => files.has(file)).map(([file, message]) => ({ file, message }));
  }

  /** @throws call.invalid, certificate.malformed, naming the file; nothing is changed then */
  async change(settings: TrustSettings): Promise<void> {
    if (settings.isRevocationRequired && settings.crlFiles.length === 0 && !settings.canFetchCrl) {
      throw new FarkeepError(
        'call.invalid',
        'Revocation cannot be required when there is no list to look at and none may be fetched',
        { field: 'isRevocationRequired', hint: 'Add a revocation list, or allow fetching them.' },
      );
    }
    for (const file of settings.rootFiles) {
      await naming(file, 'rootFiles', async () => splitRoots(file, (await readBounded(file)).bytes));
    }
    for (const file of settings.crlFiles) {
      await naming(file, 'crlFiles', async () => readCrls((await readBounded(file)).bytes));
    }
    await writeFileAtomically(
      settingsFileOf(this.#options.home),
      `${JSON.stringify({ formatVersion: 1, ...settings }, null, 2)}\n`,
    );
    this.#settings = settings;
    this.#contents.clear();
    this.#problems.clear();
    this.#checker = undefined;
  }

  async roots(): Promise<readonly string[]> {
    const files = [...this.#options.configuredRootFiles, ...this.#settings.rootFiles];
    const roots: string[] = [];
    for (const file of files) {
      const content = await this.#read(file, (bytes) => void splitRoots(file, bytes));
      if (content !== undefined) roots.push(...splitPemCertificates(content.bytes.toString('utf8')));
    }
    return roots;
  }

  async revocation(presented: PresentedChain, signal: AbortSignal): Promise<RevocationAnswer | undefined> {
    const { leafDer, chainDer, othersDer, isAuthorized } = presented;
    // Only the person who pinned a self-signed certificate can revoke it, so revocation lists do not apply.
    if (isSelfSigned(readCertificate(leafDer))) return undefined;
    const { files, missing } = await this.#lists();
    const versions = JSON.stringify(files.map(({ version }) => version));
    if (this.#checker?.versions !== versions) {
      const { clock, logger, fetchTimeoutMs } = this.#options;
      const { canFetchCrl, isRevocationRequired } = this.#settings;
      const checker = new RevocationChecker({
        crlFiles: files.map(({ bytes }) => bytes),
        policy: { canFetch: canFetchCrl, isRequired: isRevocationRequired, fetchTimeoutMs },
        logger,
        clock,
      });
      this.#checker = { versions, checker };
    }
    const answer = await this.#checker.checker.check(
      { leafDer, chainDer, isAuthorizedByOpenSsl: isAuthorized, ...(othersDer === undefined ? {} : { othersDer }) },
      signal,
    );
    const [gone] = missing;
    // An unreadable list must not count as no list: it may contain this certificate.
    if (gone === undefined || answer?.status === 'revoked' || answer?.isNamed === true) return answer;
    const detail = `The revocation list ${gone} cannot be read`;
    if (answer?.status === 'good') return { ...answer, remarks: [...(answer.remarks ?? []), detail] };
    return { status: 'unknown', isRequired: true, detail };
  }

  async #lists(): Promise<{ files: ReadFile[]; missing: string[] }> {
    const files: ReadFile[] = [];
    const missing: string[] = [];
    for (const file of this.#settings.crlFiles) {
      const content = await this.#read(file, (bytes) => void readCrls(bytes));
      if (content === undefined) missing.push(file);
      else files.push(content);
    }
    return { files, missing };
  }

  /** Reads a file again only if it has changed. Undefined when no valid content was ever read. */
  async #read(file: string, check: (bytes: Buffer) => void): Promise<ReadFile | undefined> {
    const lastRead = this.#contents.get(file);
    try {
      if (lastRead !== undefined && (await versionOf(file)) === lastRead.version) {
        this.#problems.delete(file);
        return lastRead;
      }
      const content = await readBounded(file);
      check(content.bytes);
      this.#contents.set(file, content);
      this.#problems.delete(file);
      return content;
    } catch (error) {
      const { message } = toFarkeepError(error);
      if (this.#problems.get(file) !== message) {
        this.#problems.set(file, message);
        this.#options.logger.warn('A file of the trust settings cannot be used', { file, message });
      }
      return lastRead;
    }
  }
}

async function load(home: string): Promise<TrustSettings> {
  const file = settingsFileOf(home);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return defaults;
    throw error;
  }
  try {
    return trustSettingsSchema.parse(JSON.parse(text));
  } catch (error) {
    // With the defaults, a required revocation check would silently be off.
    throw new FarkeepError('storage.damaged', `${file} is damaged`, {
      hint: 'Correct the file, or remove it and set the trust settings again.',
      cause: error,
    });
  }
}

function settingsFileOf(home: string): string {
  return path.join(home, 'trust-settings.json');
}

async function versionOf(file: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(file);
  return [file, ino, size, mtimeMs, ctimeMs].join(' ');
}

async function readBounded(file: string): Promise<ReadFile> {
  try {
    const version = await versionOf(file);
    const info = await stat(file);
    // Reading a pipe would block, and a device has no end.
    if (!info.isFile()) throw new FarkeepError('call.invalid', `${file} is not a file`);
    if (info.size > maxFileBytes) throw new FarkeepError('certificate.malformed', `${file} is larger than 16 MiB`);
    return { version, bytes: await readFile(file) };
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    const reason = systemErrorCode(error) ?? String(error);
    throw new FarkeepError('call.invalid', `${file} cannot be read (${reason})`, { cause: error });
  }
}

function splitRoots(file: string, bytes: Buffer): string[] {
  const roots = splitPemCertificates(bytes.toString('utf8'));
  if (roots.length === 0) {
    throw new FarkeepError('certificate.malformed', `${file} contains no certificate in PEM format`, {
      hint: 'Convert it: openssl x509 -inform der -in FILE -out roots.pem',
    });
  }
  for (const root of roots) readCertificate(root);
  return roots;
}

/** Adds the file's name to an error about one file of a list. */
async function naming(file: string, field: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { code, message, hint } = toFarkeepError(error);
    throw new FarkeepError(code, message.includes(file) ? message : `${file}: ${message}`, {
      field,
      hint,
      cause: error,
    });
  }
}
