import { createZodDto } from 'nestjs-zod';
import { explainInput } from './explain-input.ts';
import { explanation } from './explanation.ts';

export class ExplainInputDto extends createZodDto(explainInput) {}
export class ExplanationOutput extends createZodDto(explanation) {}
