import { describe, expect, it } from 'vitest';
import { serviceProviderOf } from '../../testing/fixtures.ts';
import { changesOf, draftOf, problemsOf, renewCommand, setCommand } from './edit-draft.ts';

const before = serviceProviderOf(1);
const draft = draftOf(before);

describe('the draft of a changed service provider', () => {
  it('starts with the saved values and without a password', () => {
    expect(draft).toEqual({
      name: 'Northwind Hosting',
      host: 'gw1.northwind.example',
      port: '6180',
      userName: 'contoso',
      password: '',
    });
    expect([changesOf(draft, before), problemsOf(draft, before, []), setCommand(before, {})]).toEqual([{}, {}, null]);
  });

  it('sends only what is different', () => {
    expect(changesOf({ ...draft, name: 'Fabrikam' }, before)).toEqual({ name: 'Fabrikam' });
    expect(changesOf({ ...draft, host: ' gw2.northwind.example ', port: '443', password: ' new ' }, before)).toEqual({
      host: 'gw2.northwind.example',
      port: 443,
      password: ' new ',
    });
  });

  it('has a problem for each wrong field, and none when it is corrected', () => {
    const wrong = { name: '', host: 'a b', port: '0', userName: ' ', password: '' };
    expect(problemsOf(wrong, before, [])).toEqual({
      name: 'field.required',
      host: 'field.host',
      port: 'field.port',
      userName: 'field.required',
    });
    expect(problemsOf({ ...draft, name: 'FABRIKAM' }, before, ['Fabrikam'])).toEqual({
      name: 'providerDialog.name.taken',
    });
    // A name from before the rules stays valid while it is not changed.
    const old = serviceProviderOf(1, { name: '-old' });
    expect(problemsOf(draftOf(old), old, [])).toEqual({});
    expect(problemsOf({ ...draftOf(old), name: '-new' }, old, [])).toEqual({ name: 'field.name' });
  });

  it('shows the command without the password', () => {
    const changes = changesOf({ ...draft, port: '443', userName: 'acme', password: 'secret' }, before);
    expect(setCommand(before, changes)).toBe(
      `farkeep provider set 'Northwind Hosting' --address gw1.northwind.example:443 --user acme --password-file PASSWORD_FILE`,
    );
    expect(renewCommand(before, 'Fabrikam')).toBe(
      `farkeep provider set 'Northwind Hosting' --invitation INVITATION_FILE --name Fabrikam`,
    );
    expect(renewCommand(before, before.name)).not.toContain('--name');
  });
});
