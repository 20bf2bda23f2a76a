#include "plugins/edr/eicar.h"

#include <algorithm>

namespace reprise::edr {

std::string Eicar() {
  // Written backwards: the compiler joins and folds what it can see.
  std::string text = "*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X";
  std::reverse(text.begin(), text.end());
  return text;
}

}  // namespace reprise::edr
