// Owns reading secrets for the command line: from a file, standard input, or a prompt without echo. Never from an argument, which other
// users of the machine can read.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { whenAborted } from '../kernel/deadline.ts';
import { FarkeepError } from '../kernel/farkeep-error.ts';
import { writeQuestion } from './output.ts';
import { usageError } from './quantities.ts';

const maxSecretBytes = 64 * 1024;

/**
 * @param file "-" reads standard input; undefined prompts at a terminal
 * @returns the first line of a file, or the typed text
 * @throws FarkeepError call.invalid when there is neither file nor terminal
 */
export async function readPassword(
  file: string | undefined,
  options: {
    question: string;
    signal: AbortSignal;
    isNew?: boolean;
    /** Whether an empty password is allowed. Files of other programs can have an empty password. */
    canBeEmpty?: boolean;
  },
): Promise<string> {
  const { question, signal, isNew = false, canBeEmpty = false } = options;
  const password = file === undefined ? await ask(question, signal, isNew) : firstLine(await readSecretFile(file));
  if (password === '' && !canBeEmpty) {
    throw usageError(
      'The password is empty',
      'Put it on the first line of the file given with --password-file.',
      '--password-file',
    );
  }
  return password;
}

/** The whole text of a small file, or of standard input for "-". */
export async function readSecretFile(file: string): Promise<string> {
  if (file === '-') return readStandardInput();
  const absolute = path.resolve(file);
  try {
    const { size } = await stat(absolute);
    if (size > maxSecretBytes) throw new Error('it is larger than the limit of a password file');
    return await readFile(absolute, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(`${absolute} cannot be read: ${reason}`, 'Check the path and its rights.', '--password-file');
  }
}

async function readStandardInput(): Promise<string> {
  if (process.stdin.isTTY)
    throw usageError('"-" needs something on standard input', 'Leave it out to be asked.', '--password-file');
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin) {
    const bytes = part as Buffer;
    size += bytes.length;
    if (size > maxSecretBytes)
      throw usageError(
        'Standard input is larger than the limit of a secret',
        'Check the program that writes to standard input.',
        '-',
      );
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

function firstLine(text: string): string {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '';
}

async function ask(question: string, signal: AbortSignal, isNew: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    throw usageError(
      'A password is needed',
      'Give it with --password-file FILE, or --password-file - for standard input.',
      '--password-file',
    );
  }
  const first = await askOnce(question, signal);
  if (isNew && (await askOnce('Again: ', signal)) !== first) {
    throw usageError('The two passwords differ', 'Type the same one twice.', '--password-file');
  }
  return first;
}

function askOnce(question: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    writeQuestion(question);
    // readline echoes typed text to its output, so it gets an output that discards everything.
    const discarded = new Writable({ write: (_chunk, _encoding, done) => done() });
    const reader = createInterface({ input: process.stdin, output: discarded, terminal: true, signal });
    const cancel = (): void => {
      writeQuestion('\n');
      reject(new FarkeepError('call.canceled'));
    };
    reader.once('SIGINT', () => {
      reader.close();
      cancel();
    });
    const stopListening = whenAborted(signal, cancel);
    reader.question('', (answer) => {
      stopListening();
      reader.close();
      writeQuestion('\n');
      resolve(answer);
    });
  });
}
