// Owns the closed error catalogue: every failure that crosses a carrier, the wire or the command line has a code from here. The console
// shows a title for each code; the command line derives its exit code from it. Only data without zod: error-schemas.ts has the schemas,
// because data movers and their workers must not pay for loading zod.

/** Exit codes of the command line (docs/cli.md). */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notTrusted: 3,
  loginRefused: 4,
  warnings: 5,
  security: 6,
  canceled: 130,
} as const;

interface CatalogueEntry {
  /** Short sentence without details; the message of an error contains the details. */
  readonly title: string;
  /** The suggested next step. It is used when the error itself has no better suggestion. */
  readonly hint: string;
  /** Whether the same call may succeed later although no person changes anything. */
  readonly retryable: boolean;
  readonly exitCode: number;
}

const entry = (
  title: string,
  hint: string,
  { retryable = false, exitCode = exitCodes.failed }: { retryable?: boolean; exitCode?: number } = {},
): CatalogueEntry => ({ title, hint, retryable, exitCode });

const retry = { retryable: true };
const notTrusted = { exitCode: exitCodes.notTrusted };
const login = { exitCode: exitCodes.loginRefused };
const security = { exitCode: exitCodes.security };
const usage = { exitCode: exitCodes.usage };

export const errorCatalogue = {
  // calls
  'call.invalid': entry('The request is not valid', 'Correct the marked field and try again.', usage),
  'call.unknown': entry('The operation is not supported', 'Make sure that console and service have the same version.'),
  'call.refused': entry('Permission denied', 'Use the console or an account with the required permissions.'),
  'call.canceled': entry('Canceled', 'Start it again when you are ready.', { exitCode: exitCodes.canceled }),
  'call.timeout': entry('The request timed out', 'Try again. If it happens again, check the service log.', retry),
  'call.internal': entry(
    'Internal error of the service',
    'Check the service log, then report the error with the diagnostics.',
  ),
  'call.not-found': entry('Not found', 'Refresh the list. The object may have been removed.'),
  'call.conflict': entry(
    'The name already exists, or the object is in use',
    'Choose another name, or remove what uses the object.',
  ),
  // services and instance
  'service.not-running': entry('The service is not running', 'Start it with "farkeep serve".', retry),
  'service.locked': entry('Another service uses this folder', 'Stop the other service, or choose another home folder.'),
  'service.start-failed': entry('The service could not start', 'Read the reason in the service log.'),
  'service.database-damaged': entry(
    'The database of the service is damaged or empty',
    'Restore the folder of the service from its last copy, then start the service again.',
  ),
  'service.port-in-use': entry('The port is in use', 'Choose another port or stop the program that uses it.'),
  'config.invalid': entry('The configuration is not valid', 'Correct the named setting.', usage),
  'storage.disk-full': entry('The disk is full', 'Free space or move the repository, then try again.', retry),
  'storage.read-only': entry(
    'The disk is read-only',
    'Check how the disk is mounted, and the permissions of the folder.',
  ),
  'storage.io': entry('Reading or writing failed', 'Check the disk and its connection.', retry),
  'storage.damaged': entry(
    'Stored data is damaged',
    'Ask the provider to run "farkeep repository verify", then run the job again. Damaged blocks are sent again.',
  ),
  // connection
  'gateway.unreachable': entry(
    'The gateway cannot be reached',
    'Check name, port, and firewall. The port of the gateway must be open.',
    retry,
  ),
  'gateway.provider-unreachable': entry(
    'The gateway is not connected to a provider',
    'The provider service is not running. Ask the provider to start it.',
    retry,
  ),
  'gateway.excluded': entry(
    'The certificate does not cover this gateway',
    'Use a gateway whose name is in the certificate, or ask the provider to install a certificate that covers it.',
    notTrusted,
  ),
  'gateway.none-usable': entry('No gateway can be used', 'Check the reason shown for each gateway.', retry),
  'gateway.not-enrolled': entry('The gateway is not enrolled', 'Enroll it with an enrollment token from the provider.'),
  'gateway.provider-not-reachable': entry(
    'Other computers cannot reach this provider',
    'Set addresses of this computer in Options > Network or with "farkeep service set provider", or in the flags of "farkeep serve".',
    usage,
  ),
  'gateway.token-invalid': entry(
    'The enrollment token is not valid',
    'Create a new token at the provider. Each token can be used once.',
  ),
  'gateway.link-down': entry(
    'The gateway lost its connection to the provider',
    'The gateway retries automatically. Check port 6169 at the provider.',
    retry,
  ),
  'tls.version': entry(
    'The other side supports only an old TLS version',
    'TLS 1.3 is required. Update the other side.',
    notTrusted,
  ),
  'tls.group': entry(
    'No common key agreement group',
    'The other side must offer X25519MLKEM768, X25519 or P-256.',
    notTrusted,
  ),
  'tls.failed': entry(
    'The TLS handshake failed',
    'Check the details. Another program may be listening on this port.',
    retry,
  ),
  'connection.lost': entry('The connection was lost', 'Farkeep retries automatically.', retry),
  'connection.refused-limit': entry('Too many connections', 'Wait a minute and try again.', retry),
  'protocol.malformed': entry('The other side violated the protocol', 'Check the versions of both sides.'),
  'protocol.version': entry('The protocol versions do not match', 'Update the older side.'),
  'protocol.feature': entry('The other side requires a feature that this side does not support', 'Update this side.'),
  // certificates and trust
  'trust.untrusted': entry(
    'The certificate is not trusted',
    'Compare its thumbprint with your provider, then accept it.',
    notTrusted,
  ),
  'trust.changed': entry(
    'The certificate has changed',
    'Ask your provider for the new thumbprint and compare it.',
    notTrusted,
  ),
  'trust.refused': entry('The certificate was refused', 'Contact your provider before you try again.', notTrusted),
  'trust.thumbprint-mismatch': entry(
    'The thumbprint does not match',
    'Do not accept this certificate. Ask your provider for the correct thumbprint.',
    notTrusted,
  ),
  'trust.announcement-invalid': entry(
    'The announcement of the next certificate is not valid',
    'Nothing was stored. Ask your provider whether a new certificate was announced.',
    security,
  ),
  'trust.thumbprint-malformed': entry(
    'This is not a thumbprint',
    'Paste 64 hex digits (SHA-256) or 40 (SHA-1).',
    usage,
  ),
  'certificate.wrong-password': entry(
    'The password of the file is wrong',
    'Enter the password that was set when the file was exported.',
  ),
  'certificate.no-private-key': entry(
    'No private key was found',
    'Export the certificate together with its private key, or also select the key file.',
  ),
  'certificate.key-mismatch': entry('The private key belongs to another certificate', 'Choose the matching key file.'),
  'certificate.weak': entry(
    'The certificate is too weak',
    'Use RSA of at least 2048 bits or P-256/P-384, signed with SHA-256 or better.',
  ),
  'certificate.expired': entry('The certificate has expired', 'Install a current certificate.'),
  'certificate.not-yet-valid': entry(
    'The certificate is not valid yet',
    'Check the system clock, or wait until the certificate becomes valid.',
  ),
  'certificate.not-for-servers': entry(
    'The certificate is not intended for servers',
    'Use a certificate with the usage "server authentication".',
  ),
  'certificate.chain-untrusted': entry(
    'The chain does not lead to a trusted authority',
    'Add the missing intermediate certificates to the file.',
  ),
  'certificate.malformed': entry('The file is not a supported certificate file', 'Use PFX/P12, PEM or DER.'),
  'certificate.ca-only': entry(
    'The file contains only the certificate of an authority',
    'Choose the certificate that was issued for the server.',
  ),
  'certificate.several-keys': entry('The file contains several private keys', 'Export one certificate with one key.'),
  'certificate.too-costly': entry('Decrypting the file would take too long', 'Export it again with default settings.'),
  'certificate.key-unreadable': entry(
    'The service account cannot read the private key',
    'Give this account permission to read the file.',
  ),
  'certificate.none': entry('No certificate is installed', 'Install one in the certificate wizard.'),
  'license.invalid': entry('The license is not valid', 'Request a new license file.'),
  'license.expired': entry('The license has expired', 'Request a new license file.'),
  // login and accounts
  'login.refused': entry('The user name or password is wrong', 'Check both with your provider.', login),
  'login.slowed': entry('Too many failed logins', 'Wait, then try again.', { ...retry, ...login }),
  'login.disabled': entry('This account is disabled', 'Contact your provider.', login),
  'login.lease-expired': entry('The lease of this account has ended', 'Contact your provider.', login),
  'security.channel-binding': entry(
    'An attacker may be intercepting the connection',
    'Do not try again. Compare the thumbprint with your provider by phone.',
    security,
  ),
  'security.tampered': entry(
    'Data was changed in transit',
    'The changed data was discarded. Check the network between the two sides.',
    security,
  ),
  'security.key-proof': entry(
    'The key exchange could not be verified',
    'Nothing was sent. Check the network between the two sides.',
    security,
  ),
  'ticket.invalid': entry('The ticket is unknown, already used, or expired', 'Start the session again.', retry),
  // sessions, jobs, data
  'session.busy': entry('The job is already running', 'Wait until it ends, or stop it.'),
  'session.limit': entry('Too many tasks at the same time', 'Wait until another session has ended.', retry),
  'session.resume-expired': entry(
    'The connection was not restored in time',
    'Run the job again. Data that is already stored at the provider is not sent again.',
    retry,
  ),
  'session.mover-died': entry('The data mover ended unexpectedly', 'Farkeep retries automatically.', retry),
  'quota.exceeded': entry(
    'The quota is used up',
    'Ask your provider for more. Deleting restore points does not free space in this version.',
  ),
  'source.missing': entry('The source does not exist', 'Check the path in the job.'),
  'source.unreadable': entry('A file could not be read', 'Check its permissions. All other files were backed up.'),
  'source.changed': entry(
    'A file changed while it was read',
    'The file is marked with a warning. Run the job again when the file is not being changed.',
  ),
  'source.shrunk': entry(
    'The backup contains much less data than the last good run',
    'Check the sources of the job. If the smaller amount is right, accept it in one run (--accept-less).',
  ),
  'clock.differs': entry(
    'The clocks of the two sides differ',
    'Correct the wrong clock, and keep it synchronized by NTP.',
  ),
  'source.device': entry('A device is kept by name only', 'Exclude the device if you do not need it after a restore.'),
  'source.empty-path': entry('The source is not a folder or file', 'Choose a folder.'),
  'restore.target': entry('The destination cannot be used', 'Choose a folder that exists and can be written.'),
  'restore.exists': entry('A file exists already', 'Choose an overwrite rule.'),
  'restore.mismatch': entry(
    'A restored block differs from the saved block',
    'The provider runs "farkeep repository verify --deep", then run the job again: damaged blocks are sent again.',
  ),
  'restore.incomplete': entry('Not everything could be restored', 'See the list of missing entries.'),
  'point.incomplete': entry(
    'The restore point was not committed',
    'No incomplete restore point was kept; run the job again.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCatalogue, text);
}

/** The shape in which an error crosses every carrier. */
export interface ErrorInfo {
  code: ErrorCode;
  message: string;
  hint: string;
  /** Name of the wrong field in the command's input. */
  field?: string | undefined;
  retryable: boolean;
  correlationId?: string | undefined;
  details?: Record<string, string | number | boolean | string[]> | undefined;
}
