// Owns a virtual X display for machines without a screen: a free display number; the caller ends it.
import { spawn } from 'node:child_process';
import { SetUpError } from './project.mjs';

const startDeadlineMs = 20_000;

/**
 * @returns {Promise<{ display: string, stop: () => Promise<void> }>}
 */
export function startVirtualDisplay() {
  return new Promise((resolve, reject) => {
    // -displayfd lets the server choose a free number, so that several runs never use the same one.
    const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp', '-noreset'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // The display is in its own process group, so that Ctrl-C ends the tests first and the display last.
      detached: true,
    });
    let messages = '';
    server.stderr?.setEncoding('utf8').on('data', (text) => {
      messages = (messages + text).slice(-4_000);
    });
    /** @param {string} reason */
    const fail = (reason) => {
      clearTimeout(deadline);
      server.kill('SIGKILL');
      reject(
        new SetUpError(
          `The virtual display did not start: ${reason} ${messages}`,
          'Run "Xvfb :99" by hand to see why.',
        ),
      );
    };
    const deadline = setTimeout(() => fail('no answer in time.'), startDeadlineMs);
    const endWithThisProcess = () => server.kill('SIGTERM');
    process.once('exit', endWithThisProcess);
    server.once('error', (error) => fail(error.message));
    const exited = new Promise((done) => {
      server.once('exit', (code) => {
        fail(`it ended with ${code}.`);
        done(undefined);
      });
    });
    const numberPipe = /** @type {import('node:stream').Readable} */ (server.stdio[3]);
    numberPipe.setEncoding('utf8').once('data', (text) => {
      clearTimeout(deadline);
      resolve({
        display: `:${text.trim()}`,
        stop: async () => {
          process.off('exit', endWithThisProcess);
          server.kill('SIGTERM');
          await exited;
        },
      });
    });
  });
}
