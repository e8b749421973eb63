package jsonstream

// maxNumber is how many characters a number may have.
const maxNumber = 1000

// number reads a number; what follows it is not looked at but at the root, where it must be a blank.
func (d *decoder) number(in string, a Action) (Value, error) {
	d.scratch = d.scratch[:0]
	if err := d.numeral(); err != nil {
		return Value{}, err
	}
	if err := d.sourceError(); err != nil {
		return Value{}, err
	}
	if c, ok := d.peek(); ok && in == inRoot && c != ' ' && c != '\t' && c != '\r' && c != '\n' {
		return Value{}, d.unexpected(c, "Expected space separating root-level values")
	}
	if a == Skip {
		return Value{Kind: Number}, nil
	}
	return Value{Kind: Number, Text: string(d.scratch)}, d.keep(len(d.scratch))
}

// numeral reads an integer, and a fraction and an exponent where they are.
func (d *decoder) numeral() error {
	if d.take('-') && !d.digitNext() {
		return d.notInNumber('-', "expected digit (0-9) to follow minus sign, for valid numeric value")
	}
	if d.take('0') && d.digitNext() {
		return d.syntax("Invalid numeric value: Leading zeroes not allowed")
	}
	if err := d.digits(); err != nil {
		return err
	}
	if d.take('.') {
		if !d.digitNext() {
			return d.notInNumber('.', "Decimal point not followed by a digit")
		}
		if err := d.digits(); err != nil {
			return err
		}
	}
	if !d.take('e') && !d.take('E') {
		return nil
	}
	if !d.take('+') {
		d.take('-')
	}
	if !d.digitNext() {
		return d.notInNumber(d.scratch[len(d.scratch)-1], "Exponent indicator not followed by a digit")
	}
	return d.digits()
}

// take takes the next byte if it is a certain one.
func (d *decoder) take(want byte) bool {
	c, ok := d.peek()
	if !ok || c != want {
		return false
	}
	d.scratch = append(d.scratch, c)
	d.pos++
	return true
}

func (d *decoder) digitNext() bool {
	c, ok := d.peek()
	return ok && '0' <= c && c <= '9'
}

func (d *decoder) digits() error {
	for d.digitNext() {
		if len(d.scratch) >= maxNumber {
			return d.syntax("Number value length (%d) exceeds the maximum allowed (%d)", len(d.scratch)+1, maxNumber)
		}
		d.take(d.buf[d.pos])
	}
	return nil
}

// notInNumber gives the error for what does not go on with a number; last is what it has so far, for a text that ends there.
func (d *decoder) notInNumber(last byte, why string) error {
	if err := d.sourceError(); err != nil {
		return err
	}
	c, ok := d.peek()
	if !ok {
		c = last
	}
	return d.syntax("Unexpected character (%s) in numeric value: %s", described(c), why)
}
