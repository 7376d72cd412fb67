/**
 * Whether tests run that take half a minute each and whose like runs without them, too: `npm run test:whole`, or
 * `test:ha`, `test:addons`, … for one file. `npm test` leaves them out.
 */
export const whole = process.env.KBS_WHOLE === 'yes';
