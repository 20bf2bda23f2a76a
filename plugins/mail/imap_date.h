// When a server got a message, as IMAP writes it: "17-Jul-1996 02:44:25 -0700" (RFC 3501, date-time).
#pragma once

#include <string>

#include "plugins/mail/store.h"

namespace reprise::mail {

// In its own zone, in quotes.
std::string ToImapDate(const InternalDate& date);

// Days since 1970 of a day of the calendar.
int64_t DaysOf(int year, int month, int day);
InternalDate DateOf(int year, int month, int day, int hour, int minute, int second, int zone_minutes);

}  // namespace reprise::mail
