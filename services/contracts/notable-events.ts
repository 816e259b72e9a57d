// Owns the texts for events in the services that are stored or displayed: entries of the audit log, notes of the trust journal,
// notifications and actions of sessions. Console and command line share them. An event travels as data, a code with parameters; this file
// generates the text.

import { instantText } from './models/instant-text.ts';

/** Codes are stored with their events, so a code must keep its meaning, and its parameters must keep their names. */
const texts = {
  // accounts
  'login.refused': ({ code, times }: { code: string; times: number }) =>
    times === 1 ? code : `${code}, ${times} times`,
  'tenant.add': () => 'The account was added',
  'tenant.set': ({ fields }: { fields: readonly string[] }) => `Changed: ${fields.join(', ')}`,
  'tenant.remove': () => 'The account was removed',
  'tenant.invite': ({ expiresAt }: { expiresAt: string }) => `Invited until ${instantText(expiresAt)}`,
  // gateways
  'gateway.enroll-token': () => 'An enrollment token was created',
  'gateway.set': ({ fields }: { fields: readonly string[] }) => `Changed: ${fields.join(', ')}`,
  'gateway.enrolled': () => 'The gateway used its token',
  'gateway.renewed': () => 'The certificate of its link was renewed',
  'gateway.enable': () => 'The gateway was enabled',
  'gateway.disable': () => 'The gateway was disabled',
  'gateway.remove': () => 'The gateway was removed',
  // certificates of the provider, license
  'certificate.install': ({ sha256 }: { sha256: string }) => `Put in service: ${sha256}`,
  'certificate.rename': ({ name }: { name: string }) => `Now "${name}"`,
  'certificate.remove': () => 'The certificate was removed',
  'certificate.settings': ({ keyBits, protection }: { keyBits: number; protection: string }) =>
    `RSA ${keyBits}; ${protection}`,
  'certificate.rollover-announced': ({ switchAt }: { switchAt: string }) => `Announced for ${instantText(switchAt)}`,
  'certificate.rollover-canceled': () => 'The planned change was canceled',
  'license.import': ({ edition }: { edition: string }) => `Edition: ${edition}`,
  // repositories and restore points
  'repository.add': ({ folder }: { folder: string }) => `In ${folder}`,
  'repository.set': ({ name, folder }: { name: string; folder: string }) => `Now "${name}" in ${folder}`,
  'repository.remove': () => 'The repository was removed; its folder is kept',
  'repository.damage': ({ blocks }: { blocks: number }) => `${countBlocks(blocks)} lost`,
  'repository.rebuild-catalogue': () => 'The catalogs of the repository were rebuilt',
  'point.delete': ({ repository }: { repository: string }) => `From repository ${repository}`,
  // sessions, on request of the provider
  'session.cancel': () => 'The session was canceled',
  'session.pause': () => 'The session was paused',
  'session.resume': () => 'The session was resumed',
  // trust of a tenant in the certificates of its providers
  'trust.answered': ({
    isChanged,
    announcedFor,
    comparison,
  }: {
    isChanged: boolean;
    announcedFor: string | null;
    comparison: 'thumbprint' | 'admin' | null;
  }) => {
    const early = announcedFor === null ? '' : ` that was announced for ${instantText(announcedFor)}, used early`;
    const kind = `${isChanged ? 'changed certificate' : 'first contact'}${early}`;
    if (comparison === null) return kind;
    return comparison === 'thumbprint' ? `${kind}; the pasted thumbprint matched` : `${kind}; compared by the admin`;
  },
  'trust.reinstated': () => 'The revocation of this pin was lifted; the thumbprint was compared again',
  'trust.revoked': () => 'From now on this certificate is refused',
  'trust.shared': ({ identity }: { identity: string }) =>
    `Added behind an address of "${identity}", for which the same certificate is pinned`,
  'trust.renamed': ({ identity }: { identity: string }) => `Service provider renamed; it was "${identity}" before`,
  'trust.thumbprint-given': () => 'The thumbprint that was given matches',
  'trust.first-use': () => 'First use: accepted because of the settings; the thumbprint was not compared',
  'trust.exported': () => 'Trusted hosts exported',
  'trust.imported': () => 'Imported from a file of trusted hosts',
  'trust.configured': (settings: {
    rootFiles: readonly string[];
    crlFiles: readonly string[];
    canFetchCrl: boolean;
    isRevocationRequired: boolean;
    canTrustFirstUse: boolean;
  }) =>
    [
      `authorities: ${settings.rootFiles.join(', ') || 'those of the system'}`,
      `revocation lists: ${settings.crlFiles.join(', ') || 'none'}`,
      `fetching lists: ${yesOrNo(settings.canFetchCrl)}`,
      `revocation required: ${yesOrNo(settings.isRevocationRequired)}`,
      `trust on first use: ${yesOrNo(settings.canTrustFirstUse)}`,
    ].join('; '),
  // the announced next certificate of a provider, at a tenant
  'announcement.stored': ({ switchAt }: { switchAt: string }) =>
    `The provider has announced its next certificate, from ${instantText(switchAt)}`,
  'announcement.verified': ({ switchAt }: { switchAt: string }) =>
    `From ${instantText(switchAt)}; signed with the key of the certificate in use`,
  'announcement.refused': ({ reason }: { reason: string }) => reason,
  'announcement.withdrawn': () => 'The provider has withdrawn the announcement of its next certificate',
  'announcement.forgotten': ({ usedSha256 }: { usedSha256: string }) =>
    `The provider no longer announces this certificate; in use: ${usedSha256}`,
  'announcement.rolled-over': () =>
    'The provider shows its announced certificate; the certificate was accepted without a prompt',
  'announcement.proven': () => 'The announcement was signed with the key of the previous certificate',
  // phases of a session that are over
  'phase.connected': () => 'Connected, logged in, and authorized',
  'phase.keys-exchanged': () => 'Keys exchanged and data streams opened',
  'phase.sent': () => 'New data read, sent, and stored',
  'phase.received': () => 'Data received, checked, and written',
  'phase.backup-completed': () => 'Restore point completed',
  'phase.restore-completed': () => 'Restore completed',
  // other actions of a session
  'session.error': ({ message }: { message: string }) => message,
  'session.security-warning': ({ message }: { message: string }) => message,
  /** A remark of the data mover, which may name files. */
  'session.remark': ({ text }: { text: string }) => text,
  'session.attempt-failed': ({ message }: { message: string }) => `${message}; the next attempt starts automatically`,
  'session.waits-for-answer': ({ message }: { message: string }) =>
    `${message}; the job is waiting for a decision about the certificate`,
  'session.paused-by': ({ by }: { by: 'tenant' | 'provider' }) => `Paused by the ${by}`,
  'session.resumed': () => 'Resumed; a new attempt with new keys follows',
  'session.service-restarted': ({ isPaused }: { isPaused: boolean }) =>
    `The tenant service was restarted; the session ${isPaused ? 'stays paused' : 'continues'}`,
  'session.attempt-started': ({ attempt }: { attempt: number }) =>
    `Attempt ${attempt}: new key exchange; stored data is not sent again`,
  'session.point-on-disk': () => 'The complete restore point is on disk',
  'session.point-safe': ({ size }: { size: string }) => `The restore point is stored; it needed ${size}`,
  'session.tenant-lost': ({ message }: { message: string }) =>
    `${message}; the session is kept until the tenant reconnects`,
  'session.transfer-ended': () =>
    'The tenant stopped the transfer cleanly; the session is kept until the tenant reconnects',
  'session.gateway-excluded': ({ gateway, reason }: { gateway: string; reason: string }) =>
    `${gateway} is not used: ${reason}`,
  'session.gateway-failed': ({ gateway, message }: { gateway: string; message: string }) => `${gateway}: ${message}`,
  /** `packs`: names below the tenant's folder; `otherPacks`: how many more there are. */
  'session.damage-marked': ({
    blocks,
    packs,
    otherPacks,
  }: {
    blocks: number;
    packs: readonly string[];
    otherPacks: number;
  }) =>
    `${countBlocks(blocks)} could not be read from ${packs.join(', ')}${otherPacks > 0 ? ` and ${otherPacks} more` : ''} and ` +
    `no longer ${blocks === 1 ? 'counts' : 'count'} as present. ` +
    'Run the job again to replace the damaged data. "farkeep repository verify" lists the affected restore points',
  'session.damage-replaced': ({ blocks }: { blocks: number }) => {
    const [verb, pronoun] = blocks === 1 ? ['was', 'it'] : ['were', 'them'];
    return `${countBlocks(blocks)} that ${verb} damaged ${verb} sent again; older restore points that use ${pronoun} are complete again`;
  },
  'session.warning': ({ path, message }: { path: string | null; message: string }) =>
    path === null ? message : `${path}: ${message}`,
} as const satisfies Readonly<Record<string, (parameters: never) => string>>;

type Texts = typeof texts;
export type NotableCode = keyof Texts;

export interface NotableEvent {
  readonly code: NotableCode;
  /** By name, as the text of the code needs them. Never a secret. */
  readonly parameters: NotableParameters;
}

export type NotableParameters = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** @param parameters left out for a code whose text needs none */
export function notable<Code extends NotableCode>(code: Code, ...parameters: Parameters<Texts[Code]>): NotableEvent {
  const [given = {}] = parameters as readonly NotableParameters[];
  return { code, parameters: given };
}

/** One line, without a full stop at its end. */
export function describeNotable({ code, parameters }: NotableEvent): string {
  // `notable` has checked that the parameters fit the code, which the compiler cannot follow through the table.
  const text: (parameters: never) => string = texts[code];
  return text(parameters as never);
}

/** Returns the text of an event, for places that keep or send only the text. */
export function notableText<Code extends NotableCode>(code: Code, ...parameters: Parameters<Texts[Code]>): string {
  return describeNotable(notable(code, ...parameters));
}

function countBlocks(blocks: number): string {
  return blocks === 1 ? '1 block' : `${blocks} blocks`;
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
