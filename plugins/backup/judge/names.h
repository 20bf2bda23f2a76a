// What a file's name promises and betrays: which format its extension stands for, whether ransomware renamed it,
// whether it is a ransom note.
#pragma once

#include <string>
#include <string_view>

namespace reprise::backup {

// The last part of "a/b.tar!c/d.png".
std::string_view BaseName(std::string_view path);
// The name of the decoder that the extension asks for; looks behind one unknown or ransom extension ("x.png.lockbit",
// "x.sql.old"). Empty: none.
std::string_view FormatByName(std::string_view name);
// The extension that only ransomware gives, or empty. "x.pdf.lockbit" → "lockbit".
std::string_view RansomExtension(std::string_view name);
// An extension that follows a known one and is itself unknown ("x.pdf.k3Jx9q" → "k3Jx9q"); a sign only when many files
// have it. Empty for the usual ones ("old", "bak", "1").
std::string_view ForeignExtension(std::string_view name);
// Whether name and text are those of a ransom note. Text: its first 64 KiB.
bool IsRansomNote(std::string_view name, std::string_view text);

}  // namespace reprise::backup
