package contract

import "testing"

func TestFactsAsText(t *testing.T) {
	t.Parallel()
	facts, err := ReadFacts()
	if err != nil {
		t.Fatal(err)
	}
	if facts.String() != recorded {
		t.Error("facts.txt is not what String writes")
	}
	if again := new(Facts).Record(facts); again.String() != recorded {
		t.Error("facts.txt is not what Record makes of its versions")
	}
}
