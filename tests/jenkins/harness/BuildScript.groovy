import com.cloudbees.groovy.cps.SerializableScript
import org.codehaus.groovy.runtime.InvokerHelper

/** What Jenkinsfiles and steps of the library are: scripts whose unknown names are steps, of Jenkins or of the library. */
abstract class BuildScript extends SerializableScript {
    @Override
    Object invokeMethod(String name, Object arguments) {
        Object[] given = arguments as Object[]
        if (metaClass.respondsTo(this, name, given)) {
            return InvokerHelper.getMetaClass(this).invokeMethod(this, name, given)
        }
        if (Library.has(name)) {
            return InvokerHelper.invokeMethod(Library.step(name), 'call', given)
        }
        Object steps = Library.steps()
        if (!steps.metaClass.respondsTo(steps, name)) {
            throw new NoSuchMethodError("No such DSL method '${name}' found")
        }
        return InvokerHelper.invokeMethod(steps, name, given)
    }

    @Override
    Object getProperty(String name) {
        World world = World.current()
        if (name == 'env') {
            return new Environment()
        }
        if (name == 'params') {
            return new HashMap(world.task.params)
        }
        if (name == 'currentBuild') {
            return new CurrentBuild()
        }
        if (name == 'scm') {
            return new Sources()
        }
        return super.getProperty(name)
    }
}
