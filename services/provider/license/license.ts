// Owns the provider's license: the imported file, the license that applies now, and the subject for generated certificates.
// A license file that becomes invalid must not stop the service: the community license applies, and the reason is shown.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { CallContext, DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import { oldLicenseFileName } from '../../contracts/old-spellings.ts';
import type { LicenseSummary } from '../../contracts/models/license.ts';
import { licenseDomain } from '../../contracts/rpc/license.ts';
import { notable } from '../../contracts/notable-events.ts';
import { atDate, type Schedule } from '../../kernel/schedule.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isMissing, systemErrorCode } from '../../kernel/system-error.ts';
import type { SubjectName } from '../../pki/create/certificate-builder.ts';
import { certificateSubject, readLicense, type License } from '../../pki/create/license.ts';
import { describeCaller, type AuditLog } from '../state/audit-log.ts';
import { builtInLicenseKeys } from './license-keys.ts';

const maxFileBytes = 64 * 1024;

export interface InstalledLicenseOptions {
  /** Folder of the provider service; the imported file is kept there. */
  readonly home: string;
  /** PEM files with additional public keys of license issuers. */
  readonly keyFiles: readonly string[];
  readonly machineName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publish: EventPublisher;
}

type Standing = { readonly license: License } | { readonly license: undefined; readonly problem: string | null };

export class InstalledLicense {
  readonly #options: InstalledLicenseOptions;
  readonly #keys: readonly KeyObject[];
  /** Text of the imported file. */
  #text: string | undefined;
  #end: Schedule | undefined;

  private constructor(options: InstalledLicenseOptions, keys: readonly KeyObject[], text: string | undefined) {
    this.#options = options;
    this.#keys = keys;
    this.#text = text;
    this.#watchEnd();
  }

  /** @throws config.invalid for a key file */
  static async open(options: InstalledLicenseOptions): Promise<InstalledLicense> {
    const configured = await Promise.all(options.keyFiles.map(readKeyFile));
    const keys = [...builtInLicenseKeys.map((pem) => createPublicKey(pem)), ...configured];
    const text =
      (await readIfThere(licenseFileOf(options.home))) ??
      (await readIfThere(path.join(options.home, oldLicenseFileName)));
    const installed = new InstalledLicense(options, keys, text);
    const standing = installed.#standing();
    if (standing.license === undefined && standing.problem !== null) {
      options.logger.warn('The license is not valid; the community license applies', { reason: standing.problem });
    }
    return installed;
  }

  /** Subject for newly generated certificates. */
  subject(): SubjectName {
    return certificateSubject(this.#standing().license, this.#options.machineName);
  }

  show(): LicenseSummary {
    const standing = this.#standing();
    if (standing.license === undefined) {
      return {
        organization: this.#options.machineName,
        edition: 'community',
        expiresAt: null,
        isCommunity: true,
        problem: standing.problem,
      };
    }
    const { organization, edition, expiresAt } = standing.license;
    return { organization, edition, expiresAt, isCommunity: false, problem: null };
  }

  /** @throws source.missing, license.invalid, license.expired; the previous license then still applies */
  async importFile(file: string): Promise<LicenseSummary> {
    const { home, clock, publish } = this.#options;
    const text = await readBounded(file);
    readLicense(text, this.#keys, clock.now());
    await writeFileAtomically(licenseFileOf(home), text, { mode: 0o640 });
    this.#text = text;
    this.#watchEnd();
    const summary = this.show();
    publish(licenseDomain, 'changed', summary);
    return summary;
  }

  handlers(audit: AuditLog): DomainHandlers<typeof licenseDomain> {
    return {
      show: () => this.show(),
      importFile: async ({ file }, context: CallContext) => {
        const summary = await this.importFile(file);
        await audit.add(
          describeCaller(context),
          summary.organization,
          notable('license.import', { edition: summary.edition }),
        );
        return summary;
      },
    };
  }

  dispose(): void {
    this.#end?.stop();
  }

  #standing(): Standing {
    if (this.#text === undefined) return { license: undefined, problem: null };
    try {
      return { license: readLicense(this.#text, this.#keys, this.#options.clock.now()) };
    } catch (error) {
      return { license: undefined, problem: toFarkeepError(error).message };
    }
  }

  /** Consoles get an event when the license expires. */
  #watchEnd(): void {
    this.#end?.stop();
    this.#end = undefined;
    const { license } = this.#standing();
    if (license === undefined || license.expiresAt === null) return;
    const { clock, publish, logger } = this.#options;
    const onEnded = (): void => {
      const summary = this.show();
      logger.warn('The license has expired; the community license applies', { reason: summary.problem });
      publish(licenseDomain, 'changed', summary);
    };
    // The license is valid up to and including its last millisecond.
    this.#end = atDate(Date.parse(license.expiresAt) + 1, onEnded, {
      clock,
      onError: (error) => logger.error('The end of the license cannot be watched', { error }),
    });
  }
}

function licenseFileOf(home: string): string {
  return path.join(home, 'license.json');
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function readBounded(file: string): Promise<string> {
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new FarkeepError('license.invalid', `${file} is not a file`, { field: 'file' });
    if (info.size > maxFileBytes) {
      throw new FarkeepError('license.invalid', `${file} is too large for a license`, { field: 'file' });
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    const reason = systemErrorCode(error) ?? String(error);
    throw new FarkeepError('source.missing', `${file} cannot be read (${reason})`, {
      field: 'file',
      hint: 'Choose the license file; the service has to be allowed to read it.',
      cause: error,
    });
  }
}

async function readKeyFile(file: string): Promise<KeyObject> {
  try {
    const key = createPublicKey(await readFile(file, 'utf8'));
    if (key.asymmetricKeyType === 'ed25519') return key;
    throw new FarkeepError('config.invalid', `${file} contains no Ed25519 key`, { field: 'licenseKeyFiles' });
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    throw new FarkeepError('config.invalid', `The license key ${file} cannot be read`, {
      field: 'licenseKeyFiles',
      cause: error,
    });
  }
}
