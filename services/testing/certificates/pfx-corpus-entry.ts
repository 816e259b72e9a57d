// Writes the corpus of PFX files with every installed program, imports each file, and reports how many can be opened, and openssl's result
// for the others. npm run pfx-corpus -- [--only WORDS] [--keep FOLDER]
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { importCertificate } from '../../pki/import/import.ts';
import { OpenSsl } from './openssl.ts';
import {
  certtoolFiles,
  corpusCertificates,
  craftedFiles,
  hasProgram,
  keytoolFiles,
  nssFiles,
  opensslFiles,
  type CorpusFile,
} from './pfx-corpus.ts';

const run = promisify(execFile);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, keep: { type: 'string' } } });
await using openssl = await OpenSsl.create();
const certificates = await corpusCertificates(openssl);
const packages = { certtool: 'gnutls-bin', pk12util: 'libnss3-tools', keytool: 'default-jre-headless' };
const files: CorpusFile[] = [
  ...opensslFiles(openssl, certificates),
  ...(hasProgram('certtool') ? certtoolFiles(openssl, certificates) : []),
  ...(hasProgram('pk12util') ? nssFiles(openssl, certificates) : []),
  ...(hasProgram('keytool') ? keytoolFiles(openssl) : []),
  ...craftedFiles(certificates),
].filter(({ tool, name }) => `${tool}: ${name}`.includes(values.only));

/** Without a password openssl tries both no password and an empty one. */
async function openedByOpenSsl(file: string, password: string | undefined): Promise<boolean> {
  try {
    const passwordFile = await openssl.write('password', `${password ?? ''}\n`);
    await run('openssl', ['pkcs12', '-legacy', '-in', file, '-nodes', '-passin', `file:${passwordFile}`], {
      timeout: 60_000,
    });
    return true;
  } catch {
    return false;
  }
}

async function imported(file: Buffer, password: string | undefined): Promise<string> {
  try {
    using read = await importCertificate({ file, password });
    return read.format;
  } catch (error) {
    if (!(error instanceof FarkeepError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

let written = 0;
let opened = 0;
let openedElsewhere = 0;
const notWritten: string[] = [];
for (const { tool, name, password, write } of files) {
  let bytes: Buffer;
  try {
    bytes = await write();
  } catch {
    notWritten.push(`${tool}: ${name}`);
    continue;
  }
  written += 1;
  const file = await openssl.write('corpus.p12', bytes);
  if (values.keep !== undefined) {
    await mkdir(values.keep, { recursive: true });
    await writeFile(path.join(values.keep, `${tool} ${name.replace(/[^A-Za-z0-9,. -]+/g, '_')}.p12`), bytes);
  }
  const isOpenElsewhere = await openedByOpenSsl(file, password);
  if (isOpenElsewhere) openedElsewhere += 1;
  const answer = await imported(bytes, password);
  if (answer === 'PFX/P12') opened += 1;
  else
    say(
      `not opened  ${tool}: ${name}\n            ${answer}${isOpenElsewhere ? '' : ' (openssl -legacy cannot open it either)'}`,
    );
  if (answer === 'PFX/P12' && !isOpenElsewhere) say(`only here   ${tool}: ${name} (openssl -legacy cannot open it)`);
}
for (const [program, debian] of Object.entries(packages)) {
  if (!hasProgram(program)) say(`${program} is not installed, so its files are missing: apt-get install ${debian}`);
}
if (notWritten.length > 0) say(`not written, because this version of the program cannot: ${notWritten.join('; ')}`);
say(`${opened} of ${written} open; openssl pkcs12 -legacy opens ${openedElsewhere}`);
if (opened < openedElsewhere) process.exitCode = 1;
