// Owns the console's log files: its own file, and one for each service. Uses electron-log behind the Logger interface, with redaction.
import path from 'node:path';
import electronLog from 'electron-log/main';
import type { ServiceRole } from '../../services/contracts/contract.ts';
import type { Logger } from '../../services/kernel/logger.ts';
import { redact } from '../../services/kernel/redaction.ts';

const maxFileBytes = 5 * 1024 * 1024;

export interface ConsoleLog {
  readonly folder: string;
  readonly logger: Logger;
  /** A line that a service wrote. The service has already removed secrets. */
  writeServiceLine(role: ServiceRole, line: string): void;
}

/** @param consoleFolder the folder of the console's own files */
export function openConsoleLog(consoleFolder: string): ConsoleLog {
  const folder = path.join(consoleFolder, 'logs');
  const own = openFile(folder, 'console');
  const services = new Map<ServiceRole, ReturnType<typeof openFile>>();
  return {
    folder,
    logger: toLogger(own, {}),
    writeServiceLine(role, line) {
      const file = services.get(role) ?? openFile(folder, role);
      services.set(role, file);
      file.info(line);
    },
  };
}

function openFile(folder: string, name: string): ReturnType<typeof electronLog.create> {
  const log = electronLog.create({ logId: name });
  log.transports.console.level = false;
  log.transports.ipc.level = false;
  log.transports.file.resolvePathFn = () => path.join(folder, `${name}.log`);
  log.transports.file.maxSize = maxFileBytes;
  log.transports.file.format = '{text}';
  return log;
}

function toLogger(file: ReturnType<typeof electronLog.create>, common: Record<string, unknown>): Logger {
  const write =
    (level: 'error' | 'warn' | 'info' | 'debug') =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      const safe = redact({ ...common, ...fields }) as Record<string, unknown>;
      file[level](JSON.stringify({ level, time: new Date().toISOString(), name: 'console', ...safe, msg: message }));
    };
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: (fields) => toLogger(file, { ...common, ...fields }),
  };
}
