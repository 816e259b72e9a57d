// Owns the British spellings that versions before December 2026 wrote to disk, and their current names. Must not be used for writing.

/** Values of states, handshake steps and error codes. */
const values: Readonly<Record<string, string>> = {
  cancelled: 'canceled',
  finalising: 'finalizing',
  'session-authorised': 'session-authorized',
  'call.cancelled': 'call.canceled',
  'licence.invalid': 'license.invalid',
  'licence.expired': 'license.expired',
};

/** The fields of a session record that contain such values. Other fields contain text that people typed. */
const fields: ReadonlySet<string> = new Set(['state', 'step', 'code']);

/** A reviver for `JSON.parse` of stored session records. */
export function reviveOldSpelling(field: string, value: unknown): unknown {
  return typeof value === 'string' && fields.has(field) && Object.hasOwn(values, value) ? values[value] : value;
}

/** Settings of a service, old name to new name. */
export const oldSettingNames: Readonly<Record<string, string>> = {
  enrolmentToken: 'enrollmentToken',
  enrolmentTokenFile: 'enrollmentTokenFile',
  licenceKeyFiles: 'licenseKeyFiles',
};

/** The name of the provider's license file in its folder. */
export const oldLicenseFileName = 'licence.json';
