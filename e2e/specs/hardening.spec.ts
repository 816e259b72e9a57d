// What a page in the console must not be able to do, whatever an attacker puts into it. Checked in the real Electron, from inside the page
// and from the main process.
import path from 'node:path';
import { expect, test } from '../fixtures/console-test.ts';
import { consoleFolder } from '../fixtures/farkeep-console.ts';

test('the page has no Node.js, and is isolated and sandboxed', async ({ farkeep }) => {
  const seen = await farkeep.page.evaluate(() => {
    const page = globalThis as unknown as Record<string, unknown>;
    return {
      names: ['require', 'process', 'module', 'Buffer', 'global', '__dirname', 'electron', 'ipcRenderer'].filter(
        (name) => name in page,
      ),
      bridge: Object.keys(page['farkeep'] as object).sort(),
      address: location.href,
    };
  });
  expect(seen).toEqual({
    names: [],
    bridge: ['call', 'cancel', 'onEvent', 'pathOfDroppedFile', 'platform'],
    address: 'app://console/index.html',
  });
  const preferences = await farkeep.app.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows();
    const contents = window?.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> } | undefined;
    return contents?.getLastWebPreferences();
  });
  expect(preferences).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webviewTag: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
  });
});

test('the bridge cannot be replaced by a script', async ({ farkeep }) => {
  const isSame = await farkeep.page.evaluate(() => {
    const page = globalThis as unknown as { farkeep: { call: unknown } };
    const before = page.farkeep.call;
    try {
      page.farkeep = { call: 'mine' };
    } catch {
      // The assignment throws in strict mode; the test checks the value afterwards.
    }
    try {
      page.farkeep.call = 'mine';
    } catch {
      // The assignment throws in strict mode; the test checks the value afterwards.
    }
    return page.farkeep.call === before;
  });
  expect(isSame).toBe(true);
});

test('the policy is sent with the page, and the page obeys it', async ({ farkeep }) => {
  const headers = await farkeep.app.evaluate(async ({ net }) => {
    const load = async (): Promise<string> =>
      (await net.fetch('app://console/index.html')).headers.get('content-security-policy') ?? '';
    return [await load(), await load()];
  });
  const [policy = '', policyOfNextLoad] = headers;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(policyOfNextLoad, 'the nonce is new for every load').not.toBe(policy);

  const violated = await farkeep.page.evaluate(async () => {
    const events: string[] = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => events.push(effectiveDirective));
    const page = globalThis as unknown as { wasRun?: boolean };
    const script = document.createElement('script');
    script.textContent = 'globalThis.wasRun = true';
    document.body.append(script);
    const style = document.createElement('style');
    style.textContent = 'body { outline: 3px solid red }';
    document.head.append(style);
    const frame = document.createElement('iframe');
    frame.src = 'https://example.com/';
    document.body.append(frame);
    const image = new Image();
    image.src = 'https://example.com/pixel.png';
    const fetched = await fetch('https://example.com/').then(
      () => true,
      () => false,
    );
    // In a separate task, because Chromium allows code from text while a command of a debugger runs.
    const isEvaluated = await new Promise<boolean>((resolve) => {
      setTimeout(() => {
        try {
          const make = Function as unknown as (text: string) => () => boolean;
          resolve(make('return true')());
        } catch {
          resolve(false);
        }
      });
    });
    // The refusal for the frame comes last; before it the list below is not complete.
    await new Promise<void>((resolve) => {
      const started = performance.now();
      const check = (): void => {
        if (events.includes('frame-src') || performance.now() - started > 5_000) resolve();
        else setTimeout(check, 20);
      };
      check();
    });
    for (const element of [script, style, frame]) element.remove();
    return {
      events: [...new Set(events)].sort(),
      wasRun: page.wasRun === true,
      fetched,
      isEvaluated,
      outline: getComputedStyle(document.body).outlineStyle,
    };
  });
  expect(violated).toEqual({
    events: ['connect-src', 'frame-src', 'img-src', 'script-src', 'script-src-elem', 'style-src-elem'],
    wasRun: false,
    fetched: false,
    isEvaluated: false,
    outline: 'none',
  });
});

test('drawing the console violates no policy and requests nothing from outside', async ({ farkeep }) => {
  expect(await farkeep.policyViolations()).toEqual([]);
});

test('the page cannot navigate away, open a window, or read files', async ({ farkeep }) => {
  const { page } = farkeep;
  for (const address of [
    'https://example.com/',
    'file:///etc/passwd',
    'app://console/../../package.json',
    'app://other/index.html',
  ]) {
    await page.evaluate((target) => {
      location.href = target;
    }, address);
  }
  const opened = await page.evaluate(() => window.open('https://example.com/') === null);
  expect(opened).toBe(true);
  await page.evaluate(() => {
    const link = document.createElement('a');
    link.href = 'https://example.com/';
    link.target = '_blank';
    document.body.append(link);
    link.click();
    link.remove();
  });
  expect(page.url()).toBe('app://console/index.html');
  expect(await farkeep.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  const outside = await farkeep.app.evaluate(async ({ net }) => {
    const addresses = [
      'app://console/../../package.json',
      'app://console/..%2f..%2fpackage.json',
      'app://console/index.html',
    ];
    return Promise.all(addresses.map(async (address) => (await net.fetch(address)).status));
  });
  expect(outside).toEqual([404, 404, 200]);
});

test('every permission is refused', async ({ farkeep }) => {
  const states = await farkeep.page.evaluate(async () => {
    const names = ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'clipboard-write', 'midi'];
    const query = (name: string) => navigator.permissions.query({ name: name as PermissionName });
    const answers = await Promise.all(names.map(async (name) => (await query(name)).state));
    return [...new Set(answers)];
  });
  expect(states).toEqual(['denied']);
  const clipboard = await farkeep.page.evaluate(() =>
    navigator.clipboard.readText().then(
      () => 'read',
      () => 'refused',
    ),
  );
  expect(clipboard).toBe('refused');
});

test('a call that does not match the contract is refused with a code', async ({ farkeep }) => {
  const send = (call: unknown) =>
    farkeep.page.evaluate(async (raw) => {
      const { farkeep: bridge } = globalThis as unknown as {
        farkeep: { call(call: unknown): Promise<{ ok: boolean; error?: { code: string; field?: string } }> };
      };
      const result = await bridge.call(raw);
      return result.ok ? 'ok' : `${result.error?.code ?? ''} ${result.error?.field ?? ''}`.trim();
    }, call);
  const call = { target: 'console', id: '1', domain: 'console', command: 'info', input: {} };
  expect(await send(call)).toBe('ok');
  expect(await send('console.info')).toBe('call.invalid');
  expect(await send({ ...call, target: 'elsewhere' })).toBe('call.invalid');
  expect(await send({ ...call, domain: '__proto__' })).toBe('call.invalid');
  expect(await send({ ...call, command: 'toString' })).toBe('call.unknown');
  expect(await send({ ...call, domain: 'jobs', command: 'list' })).toBe('call.unknown');
  expect(await send({ ...call, command: 'copyText', input: { text: 7 } })).toBe('call.invalid text');
  expect(await send({ ...call, command: 'setRoles', input: { roles: ['emperor'] } })).toBe('call.invalid roles.0');
  expect(await send({ ...call, command: 'openExternal', input: { url: 'https://example.com/' } })).toBe('call.refused');
  expect(await send({ ...call, command: 'openExternal', input: { url: 'file:///etc/passwd' } })).toBe('call.refused');
  expect(await send({ ...call, command: 'readTextFile', input: { path: '/etc/passwd' } })).toBe('call.refused');
});

test('calls of a foreign page in a window are ignored', async ({ farkeep }) => {
  const preload = path.join(consoleFolder, 'preload', 'index.cjs');
  const answer = await farkeep.app.evaluate(async ({ BrowserWindow }, script) => {
    const foreign = new BrowserWindow({ show: false, webPreferences: { preload: script, sandbox: true } });
    try {
      await foreign.loadURL('app://console/index.html');
      return (await foreign.webContents.executeJavaScript(
        "farkeep.call({ target: 'console', id: '1', domain: 'console', command: 'info', input: {} })",
      )) as { ok: boolean; error?: { code: string } };
    } finally {
      foreign.destroy();
    }
  }, preload);
  expect(answer).toMatchObject({ ok: false, error: { code: 'call.refused' } });
});
