#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

struct Element {
  std::string name, text;  // of the element and all within it
  std::map<std::string, std::string> attributes;

  std::string operator[](const std::string& key) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? "" : found->second;
  }
  double number(const std::string& key) const { return std::strtod((*this)[key].c_str(), nullptr); }
};

/// Reads the XML that a picture may consist of, strictly; `error` is empty when it is well-formed.
class Xml {
 public:
  explicit Xml(const std::string& text) : text_(text) {
    element();
    skip_blanks();
    if (at_ != text_.size()) fail("text after the root");
    for (std::size_t i = 0; i < text_.size(); ++i)
      if (static_cast<unsigned char>(text_[i]) < 0x20 && text_[i] != '\n') fail("a control character");
  }

  std::string error;
  std::vector<Element> elements;  // in the order in which they open

  std::vector<Element> all(const std::string& name, const std::string& key = "", const std::string& value = "") const {
    std::vector<Element> out;
    for (const Element& e : elements)
      if (e.name == name && (key.empty() || e[key] == value)) out.push_back(e);
    return out;
  }
  std::vector<std::string> texts(const std::string& css_class) const {
    std::vector<std::string> out;
    for (const Element& e : all("text", "class", css_class)) out.push_back(e.text);
    return out;
  }

 private:
  void fail(const std::string& why) {
    if (error.empty()) error = why + " at byte " + std::to_string(at_) + ": " + text_.substr(at_, 40);
    at_ = text_.size();
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(const std::string& word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\n') ++at_;
  }
  std::string name() {
    const std::size_t begin = at_;
    while (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '-' || peek() == ':') ++at_;
    if (at_ == begin) fail("a name is missing");
    return text_.substr(begin, at_ - begin);
  }
  std::string character() {
    if (take("&amp;")) return "&";
    if (take("&lt;")) return "<";
    if (take("&gt;")) return ">";
    if (take("&quot;")) return "\"";
    if (take("&apos;")) return "'";
    if (peek() == '&' || peek() == '<') fail("a bare & or <");
    const auto first = static_cast<unsigned char>(peek());
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::string out;
    for (std::size_t i = 0; i < length && at_ < text_.size(); ++i, ++at_) {
      if (i > 0 && (static_cast<unsigned char>(peek()) & 0xC0) != 0x80) fail("broken UTF-8");
      out += peek();
    }
    if (first >= 0x80 && first < 0xC2) fail("broken UTF-8");
    return out;
  }
  void element() {
    if (!take("<")) return fail("an element must begin");
    const std::size_t self = elements.size();
    elements.push_back({});
    elements[self].name = name();
    for (skip_blanks(); at_ < text_.size() && peek() != '>' && peek() != '/'; skip_blanks()) {
      const std::string key = name();
      if (!take("=\"")) return fail("an attribute without a value");
      std::string value;
      while (at_ < text_.size() && peek() != '"') value += character();
      if (!take("\"")) return fail("an open attribute");
      if (!elements[self].attributes.emplace(key, value).second) return fail("attribute twice: " + key);
    }
    if (take("/>")) return;
    if (!take(">")) return fail("an open tag");
    while (at_ < text_.size() && text_.compare(at_, 2, "</") != 0) {
      if (peek() == '<') {
        const std::size_t child = elements.size();
        element();
        if (child < elements.size()) elements[self].text += elements[child].text;
      } else {
        elements[self].text += character();
      }
    }
    if (!take("</" + elements[self].name + ">")) fail("not closed: " + elements[self].name);
  }

  const std::string text_;
  std::size_t at_ = 0;
};

inline Xml parsed(const std::string& svg) {
  Xml xml(svg);
  EXPECT_EQ(xml.error, "");
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  return xml;
}

struct Place {
  double x, y;
};

/// The points of an SVG path of M, implied L, h0 and Z, or of a list of points; one list per M.
inline std::vector<std::vector<Place>> places(const std::string& data) {
  std::vector<std::vector<Place>> out;
  const char* at = data.c_str();
  if (*at != 'M') out.push_back({});
  while (*at) {
    if (*at == 'M') out.push_back({});
    if (*at == 'M' || *at == 'Z' || *at == ' ') {
      ++at;
    } else if (*at == 'h') {
      at += 2;
    } else {
      char* end = nullptr;
      const double x = std::strtod(at, &end);
      EXPECT_EQ(*end, ',');
      const double y = std::strtod(end + 1, &end);
      out.back().push_back({x, y});
      at = end;
    }
  }
  return out;
}

/// The frame of a picture: its last rectangle.
struct Frame {
  double left, top, right, bottom;
  explicit Frame(const Xml& xml) {
    const Element r = xml.all("rect").back();
    left = r.number("x"), top = r.number("y"), right = left + r.number("width"), bottom = top + r.number("height");
  }
  bool holds(Place p) const { return p.x >= left - 0.01 && p.x <= right + 0.01 && p.y >= top - 0.01 && p.y <= bottom + 0.01; }
};
