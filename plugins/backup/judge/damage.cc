#include "plugins/backup/judge/damage.h"

#include <algorithm>

#include "plugins/backup/judge/words.h"

namespace reprise::backup {

Sign Explain(const Broken& broken, const Survey& survey, Look at) {
  const uint64_t all = survey.All();
  const uint64_t random = survey.Of(Look::kRandom);
  const uint64_t cells = survey.random_cells + survey.text_cells;
  const bool nothing_but_random = random * 100 >= all * 95;
  // Random bytes are no text in five of six cells; compressed data likewise, so that dense formats must have lost more.
  const bool nothing_but_noise = cells > 0 && survey.random_cells * 100 >= cells * 65;

  if (broken.magic_lost && survey.head_random) return nothing_but_random ? Sign::kEncrypted : Sign::kEncryptedPart;
  if (broken.magic_lost && all == 1 && nothing_but_noise) return Sign::kEncrypted;
  if (broken.dense) return Sign::kDamaged;
  if (random > 0 && nothing_but_random) return Sign::kEncrypted;
  if (broken.text && nothing_but_noise) return Sign::kEncrypted;
  if (broken.text && survey.random_cells >= 2) return Sign::kEncryptedPart;
  if (survey.striped) return Sign::kEncryptedPart;
  if (random > 0 && at == Look::kRandom) return Sign::kEncryptedPart;
  return Sign::kDamaged;
}

void ExplainFindings(const Broken& broken, Source& source, std::vector<Finding>& findings) {
  const auto damage = std::find_if(findings.begin(), findings.end(),
                                   [](const Finding& finding) { return finding.sign == Sign::kDamaged && !finding.grammar; });
  if (damage == findings.end()) return;
  const Survey survey = SurveyOf(source);
  const Look at = LookOf(source.ReadString(damage->offset, kWindow));
  const Sign sign = Explain(broken, survey, at);
  if (sign == Sign::kDamaged) return;
  damage->sign = sign;
  const uint64_t first = broken.text && survey.random_cells > 0 && survey.Of(Look::kRandom) == 0
                             ? survey.first_random_cell
                             : survey.first_random;
  damage->found = Words(damage->found, "; random bytes from offset ", first, " on: ", survey.Text());
}

}  // namespace reprise::backup
