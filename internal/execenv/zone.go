package execenv

import "strings"

// directions are the parts of a region's name that the IDs of its Availability Zones shorten.
var directions = strings.NewReplacer("central", "c", "north", "n", "south", "s", "east", "e", "west", "w")

// zoneID is the ID of the Availability Zone that every environment of a region runs in: its first one, in AWS's form (use1-az1
// for us-east-1, apne2-az1 for ap-northeast-2).
func zoneID(region string) string {
	place, rest, _ := strings.Cut(region, "-")
	rest = strings.Replace(rest, "gov", "g", 1)
	return place + strings.ReplaceAll(directions.Replace(rest), "-", "") + "-az1"
}
