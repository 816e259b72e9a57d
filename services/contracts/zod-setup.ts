// Must be the first import of every process entry: zod's probe of `new Function` violates the console's strict CSP.
import { z } from 'zod';

z.config({ jitless: true });
