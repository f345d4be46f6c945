// Whether something keeps the system clock right, as the kernel knows it.
#pragma once

namespace latchkey {

// True if the kernel says that its clock is synchronised (adjtimex(2): neither TIME_ERROR nor STA_UNSYNC), whichever
// program does it, also inside a container. Needs no privilege.
bool ClockSynchronised();

}  // namespace latchkey
