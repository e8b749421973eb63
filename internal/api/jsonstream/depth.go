package jsonstream

import "bytes"

// TooDeep reports whether a text that is known to be JSON is nested deeper than MaxDepth.
func TooDeep(text []byte) bool {
	if len(text) <= 2*MaxDepth { // every level takes two brackets
		return false
	}
	if bytes.Count(text, []byte{'['})+bytes.Count(text, []byte{'{'}) <= MaxDepth { // which takes next to no time
		return false
	}
	return deeper(text, MaxDepth)
}

// What bytes mean for the depth, outside of strings: one more, one less (as a signed byte), or nothing.
const (
	up    = 1
	down  = 255
	quote = 2
)

var meaning = [256]uint8{'[': up, '{': up, ']': down, '}': down, '"': quote}

// deeper counts brackets outside of strings.
func deeper(text []byte, most int) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		m := meaning[text[i]]
		if m == quote {
			i = stringEnd(text, i+1)
			continue
		}
		depth += int(int8(m))
		if depth > most {
			return true
		}
	}
	return false
}

// stringEnd gives where the closing quote of a string is, or the end of the text.
func stringEnd(text []byte, i int) int {
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return i
}
