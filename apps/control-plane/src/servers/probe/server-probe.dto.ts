import { createZodDto } from 'nestjs-zod';
import { discovery, testReport } from './probe-results.ts';

export class ServerTest extends createZodDto(testReport) {}
export class ServerDiscovery extends createZodDto(discovery) {}
