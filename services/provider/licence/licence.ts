// Owns the provider's licence: the imported file, what holds right now, the subject that generated certificates get from it.
// An imported file that does not verify any more never stops the service: the community licence holds, and the reason is shown.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { CallContext, DomainHandlers, EventPublisher } from '../../contracts/contract.ts';
import type { LicenceSummary } from '../../contracts/models/licence.ts';
import { licenceDomain } from '../../contracts/rpc/licence.ts';
import { atDate, type Schedule } from '../../kernel/schedule.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import type { Clock } from '../../kernel/clock.ts';
import { FarkeepError, toFarkeepError } from '../../kernel/farkeep-error.ts';
import type { Logger } from '../../kernel/logger.ts';
import { isMissing, systemErrorCode } from '../../kernel/system-error.ts';
import type { SubjectName } from '../../pki/create/certificate-builder.ts';
import { certificateSubject, readLicence, type Licence } from '../../pki/create/licence.ts';
import { describeCaller, type AuditLog } from '../state/audit-log.ts';
import { builtInLicenceKeys } from './licence-keys.ts';

const maxFileBytes = 64 * 1024;

export interface InstalledLicenceOptions {
  /** Folder of the provider service; the imported file is kept there. */
  readonly home: string;
  /** PEM files with further public keys. */
  readonly keyFiles: readonly string[];
  readonly machineName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publish: EventPublisher;
}

type Standing = { readonly licence: Licence } | { readonly licence: undefined; readonly problem: string | null };

export class InstalledLicence {
  readonly #options: InstalledLicenceOptions;
  readonly #keys: readonly KeyObject[];
  /** Text of the imported file. */
  #text: string | undefined;
  #end: Schedule | undefined;

  private constructor(options: InstalledLicenceOptions, keys: readonly KeyObject[], text: string | undefined) {
    this.#options = options;
    this.#keys = keys;
    this.#text = text;
    this.#watchEnd();
  }

  /** @throws config.invalid for a key file */
  static async open(options: InstalledLicenceOptions): Promise<InstalledLicence> {
    const configured = await Promise.all(options.keyFiles.map(readKeyFile));
    const keys = [...builtInLicenceKeys.map((pem) => createPublicKey(pem)), ...configured];
    const file = licenceFileOf(options.home);
    let text: string | undefined;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const installed = new InstalledLicence(options, keys, text);
    const standing = installed.#standing();
    if (standing.licence === undefined && standing.problem !== null) {
      options.logger.warn('The licence does not hold; the community licence does', { reason: standing.problem });
    }
    return installed;
  }

  /** Subject of certificates that are generated now. */
  subject(): SubjectName {
    return certificateSubject(this.#standing().licence, this.#options.machineName);
  }

  show(): LicenceSummary {
    const standing = this.#standing();
    if (standing.licence === undefined) {
      return {
        organisation: this.#options.machineName,
        edition: 'community',
        expiresAt: null,
        isCommunity: true,
        problem: standing.problem,
      };
    }
    const { organization, edition, expiresAt } = standing.licence;
    return { organisation: organization, edition, expiresAt, isCommunity: false, problem: null };
  }

  /** @throws source.missing, licence.invalid, licence.expired; the licence before then still holds */
  async importFile(file: string): Promise<LicenceSummary> {
    const { home, clock, publish } = this.#options;
    const text = await readBounded(file);
    readLicence(text, this.#keys, clock.now());
    await writeFileAtomically(licenceFileOf(home), text, { mode: 0o640 });
    this.#text = text;
    this.#watchEnd();
    const summary = this.show();
    publish(licenceDomain, 'changed', summary);
    return summary;
  }

  handlers(audit: AuditLog): DomainHandlers<typeof licenceDomain> {
    return {
      show: () => this.show(),
      importFile: async ({ file }, context: CallContext) => {
        const summary = await this.importFile(file);
        await audit.add(describeCaller(context), 'licence.import', summary.organisation, summary.edition);
        return summary;
      },
    };
  }

  dispose(): void {
    this.#end?.stop();
  }

  #standing(): Standing {
    if (this.#text === undefined) return { licence: undefined, problem: null };
    try {
      return { licence: readLicence(this.#text, this.#keys, this.#options.clock.now()) };
    } catch (error) {
      return { licence: undefined, problem: toFarkeepError(error).message };
    }
  }

  /** Consoles are told when it ends, without asking. */
  #watchEnd(): void {
    this.#end?.stop();
    this.#end = undefined;
    const { licence } = this.#standing();
    if (licence === undefined || licence.expiresAt === null) return;
    const { clock, publish, logger } = this.#options;
    const onEnded = (): void => {
      const summary = this.show();
      logger.warn('The licence has ended; the community licence holds', { reason: summary.problem });
      publish(licenceDomain, 'changed', summary);
    };
    // In its last millisecond the licence still holds.
    this.#end = atDate(Date.parse(licence.expiresAt) + 1, onEnded, {
      clock,
      onError: (error) => logger.error('The end of the licence cannot be watched', { error }),
    });
  }
}

function licenceFileOf(home: string): string {
  return path.join(home, 'licence.json');
}

async function readBounded(file: string): Promise<string> {
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new FarkeepError('licence.invalid', `${file} is not a file`, { field: 'file' });
    if (info.size > maxFileBytes) {
      throw new FarkeepError('licence.invalid', `${file} is too large for a license`, { field: 'file' });
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
    throw new FarkeepError('config.invalid', `${file} holds no Ed25519 key`, { field: 'licenceKeyFiles' });
  } catch (error) {
    if (error instanceof FarkeepError) throw error;
    throw new FarkeepError('config.invalid', `The key for licences ${file} cannot be read`, {
      field: 'licenceKeyFiles',
      cause: error,
    });
  }
}
