package daemon

import (
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/database"
)

// newerRecords says what to do about records that a later lamina has written.
func newerRecords(err error) error {
	var newer *database.NewerError
	if !errors.As(err, &newer) {
		return err
	}
	return &Problem{
		Text: fmt.Sprintf("the records were written by a later lamina: they have schema %d, and this one (%s) knows up to schema %d",
			newer.Has, ThisBuild().Version, newer.Known),
		Todo: "use the later lamina\nor restore a backup of before with this one: lamina restore FILE --data NEW-FOLDER",
		Err:  err,
	}
}
