/**
 * After so many values a data key is due for rotation. With random nonces of 96 bits a key must not seal more than 2³² of them (NIST
 * SP 800-38D section 8.3); at 2²⁸ there is a year to go for someone who is not in a hurry.
 */
export const sealsUntilRotation = 2 ** 28;
