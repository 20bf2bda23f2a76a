// Makes a wrong input of right ones, from a seed: bits turned, parts cut, repeated, put into one another, numbers at their
// edges; and the same inside a message's fields, whose lengths are then made right again, so that the reader goes deeper.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace reprise::fuzz {

using Chance = std::mt19937_64;

enum class Form { kText, kMessage, kMessages };  // kMessages: each behind its length.

// One to a few changes of one of `seeds`. Never longer than `bytes_max`.
std::string Mutated(const std::vector<std::string>& seeds, Form form, size_t bytes_max, Chance& chance);

}  // namespace reprise::fuzz
