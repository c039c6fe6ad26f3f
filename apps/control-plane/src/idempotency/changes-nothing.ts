import { SetMetadata } from '@nestjs/common';

const changesNothing = 'gatehouse:changes-nothing';

/** A POST that only asks: under an idempotency key its answer is not recorded either, as nothing of it may be kept (P6). */
export const ChangesNothing = () => SetMetadata(changesNothing, true);
export const changesNothingKey = changesNothing;
