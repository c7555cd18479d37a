import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.StrictErrorHandler;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * What HAPI FHIR's strict parser, which many Java EHRs read with, says of R4 resources.
 *
 * <p>One resource a line on stdin; "ok" or the complaint in one line on stdout.
 * usage: java -cp JAR_WITH_HAPI StrictParser.java
 */
public class StrictParser {
    public static void main(String[] arguments) throws Exception {
        FhirContext context = FhirContext.forR4();
        IParser parser = context.newJsonParser();
        parser.setParserErrorHandler(new StrictErrorHandler());
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                parser.parseResource(line);
                answer = "ok";
            } catch (RuntimeException error) {
                answer = String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
            }
            out.println(answer);
        }
    }
}
