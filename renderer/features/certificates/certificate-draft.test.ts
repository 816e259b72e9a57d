import { describe, expect, it } from 'vitest';
import { certificateOf, idOf, keyProtectionExample, storedCertificateOf } from '../../testing/fixtures.ts';
import { certificateCommand, certificateCommands } from './certificate-command.ts';
import { canKeep, changeDraft, newDraft, stepIdsOf } from './certificate-draft.ts';

const candidate = {
  candidateId: idOf(1),
  friendlyName: 'x',
  summary: certificateOf(1),
  chainLength: 0,
  warnings: [],
  keyProtection: { ...keyProtectionExample, readers: ['root'], warnings: [] },
};

describe('the certificate wizard', () => {
  it('offers Keep only for an installed certificate, and starts with Generate otherwise', () => {
    expect(canKeep(null)).toBe(false);
    expect(canKeep(storedCertificateOf(1, { origin: 'generated-at-first-start' }))).toBe(false);
    expect(newDraft(storedCertificateOf(1, { origin: 'generated-at-first-start' }), 'n').type).toBe('generate');
    expect(newDraft(storedCertificateOf(1, { origin: 'imported' }), 'n').type).toBe('keep');
  });

  it('has one step for the chosen type, and none for Keep', () => {
    expect(stepIdsOf('keep')).toEqual(['type', 'summary']);
    expect(stepIdsOf('import')).toEqual(['type', 'import', 'summary']);
  });

  it('drops a candidate when its input changes', () => {
    const made = { ...newDraft(null, 'first'), candidate };
    expect(changeDraft(made, { friendlyName: 'second' })).toMatchObject({
      friendlyName: 'second',
      candidate: null,
      isDirty: true,
    });
  });
});

describe('the command of the certificate wizard', () => {
  const draft = newDraft(null, 'Northwind 2026');

  it('does the same as the wizard for each type', () => {
    expect(certificateCommand('provider', draft)).toBe(
      "farkeep certificate generate --slot provider --friendly-name 'Northwind 2026' --install",
    );
    expect(certificateCommand('server', { ...draft, type: 'keep' })).toBe('farkeep certificate show --slot server');
    expect(certificateCommand('provider', { ...draft, type: 'pick', pickId: `farkeep:${idOf(7)}` })).toBe(
      `farkeep certificate install ${idOf(7)} --slot provider`,
    );
    expect(certificateCommand('provider', { ...draft, type: 'pick', pickId: 'letsencrypt:a.test' })).toBe(
      'farkeep certificate pick letsencrypt:a.test --slot provider --install',
    );
  });

  it('never contains the password', () => {
    const command = certificateCommand('provider', {
      ...draft,
      type: 'import',
      file: '/tmp/a b.pfx',
      password: 'hunter2!',
    });
    expect(command).toBe(
      "farkeep certificate import --slot provider --file '/tmp/a b.pfx' --password-file PASSWORD_FILE --install",
    );
    expect(command).not.toContain('hunter2');
  });

  it('stores the certificate first and then announces it, if the change is planned', () => {
    const commands = certificateCommands('provider', draft, '2027-03-31T12:00:00.000Z');
    expect(commands).toEqual([
      "farkeep certificate generate --slot provider --friendly-name 'Northwind 2026'",
      "farkeep certificate rollover announce 'Northwind 2026' --at 2027-03-31T12:00:00.000Z",
    ]);
    expect(certificateCommands('provider', draft, null)).toEqual([certificateCommand('provider', draft)]);
  });
});
