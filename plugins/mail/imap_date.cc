#include "plugins/mail/imap_date.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace reprise::mail {

int64_t DaysOf(int year, int month, int day) {
  using namespace std::chrono;
  const sys_days days = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) / 1;
  return days.time_since_epoch().count() + day - 1;
}

InternalDate DateOf(int year, int month, int day, int hour, int minute, int second, int zone_minutes) {
  const int64_t local = DaysOf(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  return {local - zone_minutes * 60, zone_minutes};
}

std::string ToImapDate(const InternalDate& date) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using namespace std::chrono;
  const sys_seconds local{seconds(date.unix_seconds + date.zone_minutes * 60)};
  const sys_days day = floor<days>(local);
  const year_month_day ymd(day);
  const hh_mm_ss time(local - day);
  char text[64];
  std::snprintf(text, sizeof text, "\"%2u-%s-%04d %02d:%02d:%02d %c%02d%02d\"", static_cast<unsigned>(ymd.day()),
                kMonths[static_cast<unsigned>(ymd.month()) - 1], static_cast<int>(ymd.year()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()), date.zone_minutes < 0 ? '-' : '+',
                std::abs(date.zone_minutes) / 60, std::abs(date.zone_minutes) % 60);
  return text;
}

}  // namespace reprise::mail
